"""What is wrong with a home, as far as it can be told at once: each a sentence for its host.

Not covered: what only a look at everything finds (`engine.upkeep.check`), how the model is (`engine.starting`).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.media import MediaFolder
from engine.store import Store

__all__ = ["HomeHealth", "home_health"]


@dataclass(frozen=True, slots=True)
class HomeHealth:
    """`problems` are sentences; `is_keeping` is whether what people do is kept at all."""

    problems: tuple[str, ...]
    is_keeping: bool


def home_health(store: Store, media: MediaFolder, home: Path, least_free_mb: int) -> HomeHealth:
    """A database or media that were met damaged, less than `least_free_mb` of room, no right to write."""
    lost = [] if store.problem is None else [f"{store.problem[0].upper()}{store.problem[1:]}."]
    if not os.access(home, os.W_OK):
        lost.append(f"{home.resolve()} cannot be written.")
    problems = []
    if media.altered:
        problems.append(
            f"{len(media.altered)} media files were altered, {min(media.altered)} for one; `python -m engine verify` names them."
        )
    free_mb = shutil.disk_usage(home).free // 1_000_000
    if free_mb < least_free_mb:
        problems.append(f"Only {free_mb} MB are left on the disk of {home.resolve()}; make room.")
    return HomeHealth((*lost, *problems), not lost)
