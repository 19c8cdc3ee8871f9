"""Checking a whole home: the store, its media files, what nothing refers to; and repairing what can be.

Repaired are: what an emptying of the bin has left to erase, and files that nothing refers to. What somebody altered is told
and never touched. While the database itself is not sound nothing is removed: what seems to be referred to by nothing may
only have lost its record.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.errors import Unavailable
from engine.media import MediaFolder
from engine.store import Store, VerifyReport
from engine.upkeep.deleting import Deleting
from engine.upkeep.leftovers import leftovers, missing_files, remove

__all__ = ["Checked", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """`problems` are those of the store's `report` and of the files beside it, `removed` what was repaired away; one
    sentence each."""

    report: VerifyReport
    problems: tuple[str, ...]
    removed: tuple[str, ...]


def check(store: Store, media: MediaFolder, artifacts: Path, *, is_repairing: bool = False) -> Checked:
    """Checks everything; `is_repairing` also mends what can be mended."""
    problems, removed = [], []
    if is_repairing and store.verify(None).is_readable:
        try:
            Deleting(store, media, artifacts).finish()
        except Unavailable as error:
            problems.append(f"Not everything could be erased: {error}.")
    report = store.verify(media)
    problems += report.problems
    if not report.is_readable:
        problems.append("The database is damaged, so files that nothing refers to are not looked for.")
        return Checked(report, tuple(problems), ())
    problems += missing_files(store, artifacts)
    for one in leftovers(store, media, artifacts):
        where = one.path.relative_to(artifacts)
        if is_repairing:
            removed.append(f"Removed {where} ({one.byte_size:,} bytes): {one.why}.")
            remove(one)
        else:
            problems.append(f"Nothing refers to {where}: {one.why}; `verify --repair` removes it.")
    return Checked(report, tuple(problems), tuple(removed))
