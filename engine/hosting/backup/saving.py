"""What of a damaged home can be saved from its last snapshot, and saving it.

Files that the store names are taken when they are missing or are not what they were. A database is taken as a whole, only when
SQLite finds its file damaged and no studio has the home; the damaged one stays beside it, for what came after the snapshot.

Not covered: finding what is damaged in the database (`engine.store.verify`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from engine.hosting.backup.places import Place
from engine.hosting.backup.snapshots import DATABASE, Snapshot, Stored, fetch_object, sha256_of
from engine.hosting.home_lock import HomeLock
from engine.store import Store

__all__ = ["lost_files", "save_database", "save_files"]

_BESIDE = ("", "-wal", "-shm", "-journal")


def lost_files(store: Store, home: Path, snapshot: Snapshot) -> Iterator[tuple[str, Stored]]:
    """The files of `snapshot` that the store names and that are missing at `home`, or are something else there."""
    media = store.bin.known_media()
    adapters = {one.path for one in store.adapters.list() if not one.metrics.get("is_discarded")}
    for path, stored in snapshot.files.items():
        folder, _, name = path.removeprefix("artifacts/").rpartition("/")
        is_named = name.partition(".")[0] in media if folder.startswith("media/") else folder in adapters
        if is_named and not _is_as_stored(home / path, stored):
            yield path, stored


def save_files(store: Store, home: Path, place: Place, snapshot: Snapshot) -> Iterator[str]:
    """Brings those files back, and says so of each. Raises IntegrityError, Unavailable."""
    for path, stored in list(lost_files(store, home, snapshot)):
        fetch_object(place, stored, home / path)
        yield f"Saved {path} from {snapshot.title}."


def save_database(home: Path, place: Place, snapshot: Snapshot) -> str:
    """Puts the snapshot's database in the place of the damaged one. Raises Unavailable where a studio has the home."""
    lock = HomeLock(home, "verify --repair")
    arriving, aside = home / f"{DATABASE}.saved", f"{DATABASE}.damaged-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"
    try:
        fetch_object(place, snapshot.files[DATABASE], arriving)
        for end in _BESIDE:
            if (home / (DATABASE + end)).exists():
                os.replace(home / (DATABASE + end), home / (aside + end))
        os.replace(arriving, home / DATABASE)
    finally:
        lock.release()
    return f"The database is that of {snapshot.title}; what came after it may be in the damaged one, {aside}."


def _is_as_stored(path: Path, stored: Stored) -> bool:
    try:
        return path.stat().st_size == stored.size and sha256_of(path) == stored.sha256
    except OSError:
        return False
