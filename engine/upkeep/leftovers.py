"""Leftovers: files in a home that nothing in its store refers to, and files that its store misses.

    artifacts/media        files and thumbnails of media that are neither recorded nor in the bin
    artifacts/checkpoints  folders of jobs that are done, or were never there
    artifacts/examples     questions that no job learns from
    artifacts/adapters     weights that no adapter is recorded with
    artifacts/merged       full weights of an adapter that is not recorded, or was discarded

A crash leaves such files: bytes come before the record that names them, and go after it. So what is younger than an hour may
be on its way in, and is left alone, as are files that are not named as the studio names its own.

Not covered: whether media files are what they were (`engine.store.verify`).
"""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from engine.media import MediaFolder
from engine.store import Store

__all__ = ["Leftover", "leftovers", "missing_files", "remove"]

_SETTLED_AFTER_S = 3600
_MEDIA_NAME = re.compile(r"([0-9a-f]{64})[.-].*")
_ID = re.compile(r"[0-9a-f]{32}")
_EXAMPLES_NAME = re.compile(r"([0-9a-f]{64})\.(json|part)")
_ALL = 1_000_000


@dataclass(frozen=True, slots=True)
class Leftover:
    """A file or folder that nothing refers to; `why` completes "PATH: ..."."""

    path: Path
    why: str

    @property
    def byte_size(self) -> int:
        files = self.path.rglob("*") if self.path.is_dir() else [self.path]
        return sum(file.stat().st_size for file in files if file.is_file())


def leftovers(store: Store, media: MediaFolder, artifacts: Path) -> list[Leftover]:
    """What nothing refers to, by path."""
    now = time.time()
    found = (*_of_media(store, media), *_of_jobs(store, artifacts), *_of_adapters(store, artifacts))
    return sorted(
        (one for one in found if now - one.path.stat().st_mtime > _SETTLED_AFTER_S), key=lambda one: str(one.path)
    )


def remove(leftover: Leftover) -> None:
    """Deletes it; nothing happens where it is gone."""
    if leftover.path.is_dir():
        shutil.rmtree(leftover.path, ignore_errors=True)
    else:
        leftover.path.unlink(missing_ok=True)


def missing_files(store: Store, artifacts: Path) -> Iterator[str]:
    """What the store refers to and the artifacts lack or have otherwise, each as a sentence; media aside."""
    for adapter in store.adapters.list():
        if not adapter.is_discarded and not any((artifacts / adapter.path).glob("*")):
            yield f"The weights of the adapter {adapter.name!r} are missing: {adapter.path}."
    for job in store.jobs.list(limit=_ALL):
        kept = _examples_of(job.config)
        if kept is None or job.state == "done":
            continue
        path = artifacts / "examples" / f"{kept}.json"
        if not path.is_file():
            yield f"The questions of the {job.kind} job {job.id} are missing: {path.name}."
        elif hashlib.sha256(path.read_bytes()).hexdigest() != kept:
            yield f"The questions of the {job.kind} job {job.id} were changed: {path.name}."


def _of_media(store: Store, media: MediaFolder) -> Iterator[Leftover]:
    known = store.bin.known_media()
    for path in sorted(media.root.glob("[0-9a-f][0-9a-f]/*")):
        named = _MEDIA_NAME.fullmatch(path.name)
        if named is not None and named[1] not in known:
            yield Leftover(path, "no trace, example or upload is recorded with it")
    for path in sorted((media.root / ".thumbnails").glob("*/[0-9a-f][0-9a-f]/*")):
        named = _MEDIA_NAME.fullmatch(path.name)
        if named is not None and named[1] not in known:
            yield Leftover(path, "a thumbnail of nothing that is recorded")


def _of_jobs(store: Store, artifacts: Path) -> Iterator[Leftover]:
    jobs = {job.id: job for job in store.jobs.list(limit=_ALL)}
    for path in (artifacts / "checkpoints").glob("*"):
        if _ID.fullmatch(path.name) and (path.name not in jobs or jobs[path.name].state == "done"):
            yield Leftover(path, "checkpoints of a job that is done or not recorded")
    kept = {_examples_of(job.config) for job in jobs.values()}
    for path in (artifacts / "examples").glob("*"):
        named = _EXAMPLES_NAME.fullmatch(path.name)
        if named is not None and (named[1] not in kept or named[2] == "part"):
            yield Leftover(path, "questions that no job learns from")


def _of_adapters(store: Store, artifacts: Path) -> Iterator[Leftover]:
    recorded = {adapter.path for adapter in store.adapters.list()}
    for path in (artifacts / "adapters").glob("*"):
        if path.is_dir() and f"adapters/{path.name}" not in recorded and _ID.match(path.name):
            yield Leftover(path, "weights that no adapter is recorded with")
    standing = {adapter.id for adapter in store.adapters.list() if not adapter.is_discarded}
    for path in (artifacts / "merged").glob("*"):
        if _ID.fullmatch(path.name) and path.name not in standing:
            yield Leftover(path, "merged weights of an adapter that is gone")


def _examples_of(config: dict[str, object]) -> str | None:
    examples = config.get("examples")
    sha256 = examples.get("sha256") if isinstance(examples, dict) else None
    return sha256 if isinstance(sha256, str) else None
