"""A study on disk: what is done stands in a file of its own, written whole, so that a killed study goes on.

    DIR/study.json               what must be the same for the study to be gone on with (engine.lab.study.identity)
    DIR/parts/PART.json          the result of a part; where there is one, the part is done
    DIR/parts/PART.metrics.jsonl numbers of a training part, a line a step as they came; later lines of a step count
    DIR/parts/PART.BENCHMARK.json  what an evaluation has done so far
    DIR/examples/PART.jsonl      drawn examples             DIR/media/     their files, by hash
    DIR/trajectories/PART.jsonl  what a warm start learned from
    DIR/adapters/PART/           an adapter                 DIR/checkpoints/PART/  of a run that has not ended
    DIR/lock                     held by the process that runs the study
    DIR/sessions.json            seconds of wall time of each time that the study ran
    DIR/report.json, report.md, *.svg

Invariants: a file stands under its name only when it is whole; no path within a file leads out of DIR.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import IntegrityError, InvalidInput, Unavailable

__all__ = ["Folder", "write_whole"]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a study, as named in the module docstring."""

    root: Path

    # --- identity -----------------------------------------------------------------------------------------------------

    def claim(self, identity: Mapping[str, Any]) -> None:
        """Begin a study here, or go on with it. Raises InvalidInput where another one is here."""
        path = self.root / "study.json"
        if path.exists():
            differences = list(_differences(self._read(path), identity))
            if differences:
                raise InvalidInput(
                    f"{self.root} holds another study ({'; '.join(differences)}): go on with its settings, or choose "
                    "another --out"
                )
            return
        try:
            if self.root.exists() and any(self.root.iterdir()):
                raise InvalidInput(f"{self.root} is neither empty nor a study; choose another --out")
            write_whole(path, json.dumps(identity, indent=1) + "\n")
        except OSError as error:
            raise InvalidInput(f"{self.root} cannot be written: {error.strerror or error}") from error

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Inside, no other process runs this study. Raises Unavailable where one does; it ends with its process."""
        with (self.root / "lock").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Unavailable(
                    f"another process is running the study in {self.root}; wait for it, or stop it"
                ) from None
            yield

    def identity(self) -> dict[str, Any]:
        return self._read(self.root / "study.json")

    # --- results ------------------------------------------------------------------------------------------------------

    def is_done(self, part: str) -> bool:
        return self._result_path(part).exists()

    def result(self, part: str) -> dict[str, Any]:
        return self._read(self._result_path(part))

    def finish(self, part: str, result: Mapping[str, Any]) -> None:
        """Declare a part done; the last thing that is written of it."""
        write_whole(self._result_path(part), json.dumps(result) + "\n")

    def _result_path(self, part: str) -> Path:
        return self.root / "parts" / f"{part}.json"

    # --- on the way ---------------------------------------------------------------------------------------------------

    def add_metric(self, part: str, step: int, numbers: Mapping[str, float]) -> None:
        path = self._metrics_path(part)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **numbers}) + "\n")

    def metrics(self, part: str) -> list[dict[str, Any]]:
        """One entry a step, in order. A line that a kill cut off, and one that was overtaken, are left out."""
        path, by_step = self._metrics_path(part), {}
        for line in path.read_text(encoding="utf-8").split("\n") if path.exists() else ():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            by_step[entry["step"]] = entry
        return [by_step[step] for step in sorted(by_step)]

    def _metrics_path(self, part: str) -> Path:
        return self.root / "parts" / f"{part}.metrics.jsonl"

    def partial(self, part: str, name: str) -> dict[str, Any] | None:
        path = self.root / "parts" / f"{part}.{name}.json"
        return self._read(path) if path.exists() else None

    def keep_partial(self, part: str, name: str, result: Mapping[str, Any]) -> None:
        write_whole(self.root / "parts" / f"{part}.{name}.json", json.dumps(result) + "\n")

    def examples(self, part: str) -> Path:
        return self.root / "examples" / f"{part}.jsonl"

    def trajectories(self, part: str) -> Path:
        return self.root / "trajectories" / f"{part}.jsonl"

    @property
    def media(self) -> Path:
        return self.root / "media"

    def adapter(self, part: str) -> Path:
        return self.root / "adapters" / part

    def save_adapter(self, part: str, save: Callable[[Path], None]) -> None:
        """`save(folder)` writes the adapter; it stands under its name when it is whole."""
        path = self.adapter(part)
        unfinished = path.with_name(path.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        save(unfinished)
        shutil.rmtree(path, ignore_errors=True)
        os.replace(unfinished, path)

    def checkpoints(self, part: str) -> Path:
        return self.root / "checkpoints" / part

    # --- sessions -----------------------------------------------------------------------------------------------------

    def sessions(self) -> list[dict[str, Any]]:
        path = self.root / "sessions.json"
        return self._read(path) if path.exists() else []

    def keep_sessions(self, sessions: list[dict[str, Any]]) -> None:
        write_whole(self.root / "sessions.json", json.dumps(sessions) + "\n")

    def _read(self, path: Path) -> Any:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise IntegrityError(f"{path} is no JSON ({error}); delete it, and its part is done again") from error


def _differences(there: Any, here: Any, name: str = "") -> list[str]:
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        return [
            sentence
            for key in sorted({*there, *here})
            for sentence in _differences(there.get(key), here.get(key), f"{name} {key}".strip())
        ]
    return [] if there == here else [f"{name} is {_shown(there)} there and {_shown(here)} here"]


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 24 else text[:16] + '..."'
