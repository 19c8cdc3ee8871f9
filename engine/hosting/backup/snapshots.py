"""Snapshots of a home: the database and the files that belong to it, each by its hash, only what is new.

    objects/ab/<sha256>       the bytes of a file; a medium's name is its hash already
    snapshots/000042.json     what a home was: each path with its hash and size. It is laid down last, so a push that was
                              interrupted leaves the one before it

Of a home go: the database, media, adapters, and the questions that jobs learn from. Not: thumbnails, logs, and checkpoints of
jobs, which begin anew.

Invariants: the database is copied at one moment and before the files, which are there before the records that name them; a
file that is not what its hash says is never sent, and never restored. A home remembers the newest snapshot that it was or came
from (`backup.json`) and is refused at a place that has gone on without it; a home with a database is never overwritten.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from engine import __version__
from engine.errors import Conflict, IntegrityError, NotFound, Unavailable
from engine.hosting.backup.places import Place
from engine.store import Store

__all__ = ["DATABASE", "Snapshot", "Stored", "fetch_object", "newest", "push", "restore", "sha256_of", "snapshots"]

DATABASE = "annotations.db"
_FOLDERS = ("artifacts/media", "artifacts/adapters", "artifacts/examples")
_REMEMBERED = "artifacts/backup.json"
_KEPT = 12
_NAMED = re.compile(r"snapshots/(\d{6})\.json")
_OF_MEDIA = re.compile(r"artifacts/media/[0-9a-f]{2}/([0-9a-f]{64})\.(?!sampling$|part$)[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Stored:
    """A file: its SHA-256, its size in bytes, and when it was last written, in ns, by the clock of the machine it was on."""

    sha256: str
    size: int
    written_ns: int

    @property
    def object_name(self) -> str:
        return f"objects/{self.sha256[:2]}/{self.sha256}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a home was at `made_at` (seconds since 1970); `files` by path below it; `number` counts up at its place."""

    number: int
    made_at: float
    files: Mapping[str, Stored]
    studio: str = __version__

    @property
    def name(self) -> str:
        return f"snapshots/{self.number:06}.json"

    @property
    def title(self) -> str:
        return f"snapshot {self.number} of {time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime(self.made_at))}"

    @classmethod
    def parse(cls, number: int, text: bytes) -> Snapshot:
        """Raises ValueError for what was cut off or is something else."""
        try:
            data = json.loads(text)
            files = {path: Stored(**one) for path, one in data["files"].items()}
            return cls(number, data["made_at"], files, data["studio"])
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no snapshot: {error}") from error


def snapshots(place: Place) -> list[Snapshot]:
    """Those that are whole at `place`, newest first."""
    sizes = place.sizes()
    return list(_whole(place, sizes))


def newest(place: Place) -> Snapshot:
    """Raises NotFound."""
    found = next(_whole(place, place.sizes()), None)
    if found is None:
        raise NotFound(f"there is no snapshot at {place.name}")
    return found


def push(store: Store, home: Path, place: Place, *, is_forced: bool = False) -> tuple[Snapshot, int]:
    """Makes a snapshot and puts it there, unless nothing has changed; the newest one there, and how many files were sent.

    Raises Conflict where `place` holds what this home has never been, unless it `is_forced`; Unavailable, Broken.
    """
    sizes = place.sizes()
    last = next(_whole(place, sizes), None)
    if last is not None and not is_forced and last.number > _remembered(home).get(place.name, 0):
        raise Conflict(
            f"{place.name} holds {last.title}, which this home has never been; restore it into an empty home, name another "
            "place, or push with --force if it is to be followed by this one"
        )
    with _staging(home) as staging:
        files = dict(_staged(store, home, staging, {} if last is None else last.files, sizes))
        if last is not None and _hashes(files) == _hashes(last.files):
            return last, 0
        numbers = [int(named[1]) for name in sizes if (named := _NAMED.fullmatch(name))]
        made = Snapshot(max(numbers, default=0) + 1, time.time(), files)
        (staging / "snapshots").mkdir()
        (staging / made.name).write_text(json.dumps(asdict(made)), encoding="utf-8")
        sent = [path.relative_to(staging).as_posix() for path in staging.rglob("*") if path.is_file()]
        _remember(home, place, made.number)  # before it stands there: this process may end on the way
        place.put(staging, sent)
    with suppress(Unavailable):  # what is left over goes next time
        _thin_out(place)
    return made, len(sent) - 1


def restore(home: Path, place: Place, number: int | None = None) -> Snapshot:
    """Makes an empty home what it was in the newest snapshot, or the one of that number; the database comes last, so what was
    interrupted is begun anew. Raises Conflict where there is a database already, NotFound, IntegrityError, Unavailable."""
    if (home / DATABASE).exists():
        raise Conflict(
            f"{home.resolve()} has a database already, and is not overwritten; move it away, or name another home"
        )
    found = [one for one in snapshots(place) if number in (None, one.number)]
    if not found:
        raise NotFound(f"there is no snapshot{'' if number is None else f' {number}'} at {place.name}")
    chosen = found[0]
    for path in sorted(chosen.files, key=lambda path: path == DATABASE):
        fetch_object(place, chosen.files[path], home / path)
    _remember(home, place, found[0].number)
    return chosen


def fetch_object(place: Place, stored: Stored, target: Path) -> None:
    """Brings one file back; what stands at `target` is replaced by it, whole. Raises IntegrityError, Unavailable."""
    with suppress(OSError):
        if target.stat().st_size == stored.size and sha256_of(target) == stored.sha256:
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    arriving = target.with_name(target.name + ".part")
    try:
        place.fetch(stored.object_name, arriving)
        if sha256_of(arriving) != stored.sha256:
            raise IntegrityError(f"{stored.object_name} at {place.name} was altered")
        os.replace(arriving, target)
    except FileNotFoundError as error:
        raise IntegrityError(f"{stored.object_name} is missing at {place.name}") from error
    finally:
        arriving.unlink(missing_ok=True)


def _whole(place: Place, sizes: Mapping[str, int]) -> Iterator[Snapshot]:
    with tempfile.TemporaryDirectory(prefix="studio-backup-") as folder:
        for name in sorted(sizes, reverse=True):
            if (named := _NAMED.fullmatch(name)) is None:
                continue
            place.fetch(name, Path(folder) / "snapshot.json")
            try:
                found = Snapshot.parse(int(named[1]), (Path(folder) / "snapshot.json").read_bytes())
            except ValueError:  # cut off
                continue
            if all(sizes.get(one.object_name) == one.size for one in found.files.values()):
                yield found


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A folder on the home's own disk: its files are linked there, not copied."""
    (home / "artifacts").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".backup-", dir=home / "artifacts") as folder:
        yield Path(folder)


def _staged(
    store: Store, home: Path, staging: Path, before: Mapping[str, Stored], sizes: Mapping[str, int]
) -> Iterator[tuple[str, Stored]]:
    database = staging / DATABASE
    store.snapshot(database)
    stored = Stored(sha256_of(database), database.stat().st_size, 0)
    yield DATABASE, stored
    if sizes.get(stored.object_name) != stored.size:
        _link(database, staging / stored.object_name)
    database.unlink()
    for folder in _FOLDERS:
        for path in sorted((home / folder).rglob("*")):
            name = path.relative_to(home).as_posix()
            if not path.is_file() or "/." in name or name.endswith(".part"):
                continue
            stored_file = _described(path, name, before.get(name))
            if stored_file is None:
                if name in before:  # altered since: the good one is kept
                    yield name, before[name]
                continue
            yield name, stored_file
            if sizes.get(stored_file.object_name) != stored_file.size:
                _link(path, staging / stored_file.object_name)


def _described(path: Path, name: str, before: Stored | None) -> Stored | None:
    """What lies at `path`; None where it has just been deleted, or is a medium that is not what its name says."""
    try:
        is_now = path.stat()
    except FileNotFoundError:
        return None
    if before is not None and (before.size, before.written_ns) == (is_now.st_size, is_now.st_mtime_ns):
        return before
    sha256 = sha256_of(path)
    named = _OF_MEDIA.fullmatch(name)
    return None if named and named[1] != sha256 else Stored(sha256, is_now.st_size, is_now.st_mtime_ns)


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileExistsError:  # the same bytes under two paths
        return
    except OSError:
        shutil.copyfile(source, target)


def _thin_out(place: Place) -> None:
    sizes = place.sizes()
    whole = list(_whole(place, sizes))
    kept = {one.name for one in whole[:_KEPT]} | {o.object_name for s in whole[:_KEPT] for o in s.files.values()}
    if len(whole) > _KEPT:
        place.drop([name for name in sizes if name not in kept and name.startswith(("objects/", "snapshots/"))])


def _hashes(files: Mapping[str, Stored]) -> dict[str, str]:
    return {path: one.sha256 for path, one in files.items()}


def sha256_of(path: Path) -> str:
    """Of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _remembered(home: Path) -> dict[str, int]:
    try:
        return dict(json.loads((home / _REMEMBERED).read_bytes()))
    except (OSError, ValueError):
        return {}


def _remember(home: Path, place: Place, number: int) -> None:
    path = home / _REMEMBERED
    path.with_suffix(".part").write_text(json.dumps(_remembered(home) | {place.name: number}), encoding="utf-8")
    os.replace(path.with_suffix(".part"), path)
