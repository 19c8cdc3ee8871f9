"""`experiment miniature`: the paper's study on the embedded reasoner, from seeds to a table with its ablations."""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from engine.errors import InvalidInput, InvalidSetting
from engine.lab.study.left import expected_s, seconds_left
from engine.lab.study.plan import Sizes, StudyPart, plan
from engine.settings import Settings

if TYPE_CHECKING:
    from engine.lab.study.folder import Folder
    from engine.lab.study.schedule import StudyEvent

__all__ = ["ACTION", "SUMMARY", "configure", "run"]

ACTION = "measure"
SUMMARY = "run the paper's study: warm start, curiosity-driven RL, and their ablations, resumably"
_MEANINGS = {
    "test_examples": "test examples of each benchmark",
    "trajectories": "trajectories of each benchmark for the warm start",
    "practice_examples": "questions of each benchmark that RL rolls out",
    "sft_passes": "passes over the trajectories",
    "sft_learning_rate": "the warm start's learning rate",
    "sft_batch_size": "trajectories an optimiser step",
    "rl_steps": "optimiser steps of an RL run",
    "queries_a_step": "questions that an RL step rolls out",
    "rollouts": "rollouts of each",
    "rl_learning_rate": "RL's learning rate",
    "seeds": "runs of the rows 'full' and 'RL without curiosity'; the other rows have one",
    "max_turns": "turns of an attempt, in RL and in evaluation",
    "max_tokens": "generated tokens of an attempt",
    "max_turn_tokens": "generated tokens of a turn",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="miniature", choices=["miniature"], help="the study: miniature")
    parser.add_argument("--out", metavar="DIR", required=True, help="a folder for everything; the same one to go on")
    parser.add_argument(
        "--model", metavar="M", help="the base: tiny, a folder or an id of the Hub (default: STUDIO_MODEL)"
    )
    parser.add_argument(
        "--jobs", metavar="K", type=int, default=1, help="parts that run at once, each in a process (default: 1)"
    )
    parser.add_argument(
        "--plan", action="store_true", help="print the parts and what they are expected to take, and end"
    )
    parser.add_argument("--json", action="store_true", help="print one event a line, and last the report's table")
    sizes = parser.add_argument_group("sizes", "the defaults suit two cores for some two hours")
    for field in dataclasses.fields(Sizes):
        kind = float if isinstance(field.default, float) else int
        flag, meaning = "--" + field.name.replace("_", "-"), _MEANINGS[field.name]
        sizes.add_argument(flag, metavar="N", type=kind, help=f"{meaning} (default: {field.default:g})")
    parser.epilog = (
        "Writes report.json, report.md and the curves as .svg into DIR. What is done is not done again: after Ctrl-C, or "
        "a kill, the same command goes on. Exit status 130 after Ctrl-C."
    )


def run(arguments: argparse.Namespace, settings: Settings, out: TextIO) -> int:
    settings = dataclasses.replace(settings, model=arguments.model or settings.model)
    if settings.model == "scripted":
        raise InvalidSetting("the model 'scripted' has no weights to train; use tiny, a folder or a model id")
    if arguments.jobs < 1:
        raise InvalidInput(f"--jobs takes a whole number from 1, not {arguments.jobs}")
    given = {field.name: getattr(arguments, field.name) for field in dataclasses.fields(Sizes)}
    sizes = Sizes(**{name: value for name, value in given.items() if value is not None})
    parts = plan(sizes)
    if arguments.plan:
        return _print_plan(parts, sizes, arguments, out)

    # Imported only now: torch takes seconds.
    from engine.backbone.published import find_model
    from engine.lab.study.folder import Folder
    from engine.lab.study.identity import identity_of
    from engine.lab.study.report import report_of, table, write_report
    from engine.lab.study.schedule import run_parts

    folder = Folder(Path(arguments.out))
    folder.claim(identity_of(sizes, settings))
    watcher = _Watcher(folder, parts, sizes, arguments.jobs, out if arguments.json else None, sys.stderr)
    earlier, started = folder.sessions(), time.time()

    def on_event(event: StudyEvent) -> None:
        watcher.on_event(event)
        if event.kind in ("done", "stopped"):
            folder.keep_sessions([*earlier, {"jobs": arguments.jobs, "seconds": time.time() - started}])

    with folder.alone(), _stopping(sys.stderr) as should_stop:
        is_whole = run_parts(folder, parts, sizes, settings, arguments.jobs, on_event, should_stop)
    watcher.end()
    if not is_whole:
        print(f"stopped; the same command goes on: what is done stays in {arguments.out}", file=sys.stderr)
        return 130
    report = report_of(folder, parts, find_model(settings.model).name)
    write_report(folder.root, report)
    if arguments.json:
        told = {"event": "report", "rows": report["rows"], "hypotheses": report["hypotheses"]}
        print(json.dumps(told), file=out)
    else:
        print(table(report), file=out)
        print(f"the report is {Path(arguments.out) / 'report.md'}", file=sys.stderr)
    return 0


def _print_plan(parts: Sequence[StudyPart], sizes: Sizes, arguments: argparse.Namespace, out: TextIO) -> int:
    for part in parts:
        expected = expected_s(part, sizes)
        if arguments.json:
            told = {"part": part.name, "needs": list(part.needs), "expected_s": round(expected)}
            print(json.dumps(told), file=out)
        else:
            print(f"{part.name:<28}{_duration(expected):>9}  {', '.join(part.needs)}", file=out)
    if not arguments.json:
        print(f"{'in all':<28}{_duration(seconds_left(parts, sizes, {}, {}, arguments.jobs)):>9}", file=out)
    return 0


@contextmanager
def _stopping(stream: TextIO) -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed inside; a second time it raises KeyboardInterrupt."""
    asked: list[bool] = []

    def on_signal(number: int, frame: Any) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        print("stopping after the running steps; Ctrl-C again ends at once", file=stream, flush=True)

    before = signal.signal(signal.SIGINT, on_signal)
    try:
        yield lambda: bool(asked)
    finally:
        signal.signal(signal.SIGINT, before)


class _Watcher:
    """What is told while a study runs: on `events` one JSON object an event, on `stream` a line now and then."""

    def __init__(
        self,
        folder: Folder,
        parts: Sequence[StudyPart],
        sizes: Sizes,
        jobs: int,
        events: TextIO | None,
        stream: TextIO,
        quiet_s: float = 15.0,
    ) -> None:
        self._parts, self._sizes, self._jobs = parts, sizes, jobs
        self._events, self._stream, self._quiet_s = events, stream, quiet_s
        self._finished = {one.name: folder.result(one.name)["seconds"] for one in parts if folder.is_done(one.name)}
        self._running: dict[str, tuple[float, str]] = {}
        self._began: dict[str, float] = {}
        self._shown_s = time.monotonic()

    def on_event(self, event: StudyEvent) -> None:
        if self._events is not None:
            told = {"event": event.kind, "part": event.part, **event.data, "left_s": round(self.left_s())}
            print(json.dumps(told), file=self._events, flush=True)
        if event.kind == "started":
            self._began[event.part] = time.monotonic()
            self._running[event.part] = 0.0, ""
        elif event.kind == "progress":
            done, total = event.data["done"], event.data["total"]
            numbers = [
                f"{name} {event.data[name]:.2f}" for name in ("loss", "rapr", "correctness") if name in event.data
            ]
            self._running[event.part] = done / total, " ".join([f"{done}/{total}", *numbers])
        else:
            self._running.pop(event.part, None)
            if event.kind == "done":
                self._finished[event.part] = event.data["seconds"]
                self._say(f"{event.part} done in {_duration(event.data['seconds'])}")
        if event.kind == "progress" and time.monotonic() - self._shown_s >= self._quiet_s:
            self._say("; ".join(f"{name} {text}" for name, (_, text) in self._running.items()))

    def left_s(self) -> float:
        now = time.monotonic()
        running = {name: (share, now - self._began[name]) for name, (share, _) in self._running.items()}
        return seconds_left(self._parts, self._sizes, self._finished, running, self._jobs)

    def _say(self, text: str) -> None:
        self._shown_s = time.monotonic()
        counted = f"{len(self._finished)}/{len(self._parts)} parts"
        print(f"{counted}  {text}  {_duration(self.left_s())} left", file=self._stream, flush=True)

    def end(self) -> None:
        self._stream.flush()


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
