"""What is wrong with a home, as far as it can be told at once: each a sentence for its host.

Not covered: what only a look at everything finds (`engine.upkeep.check`), how the model is (`engine.starting`).
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass

from engine.media import MediaFolder
from engine.settings import Settings
from engine.store import Store

__all__ = ["HomeHealth", "home_health"]


@dataclass(frozen=True, slots=True)
class HomeHealth:
    """`problems` are sentences; `is_keeping` is whether what people do is kept at all. `bytes` is what the home takes and
    `max_bytes` what it may take, both None where it has no such end."""

    problems: tuple[str, ...]
    is_keeping: bool
    bytes: int | None = None
    max_bytes: int | None = None


def home_health(store: Store, media: MediaFolder, settings: Settings, bytes: int | None) -> HomeHealth:
    """A database or media that were met damaged, no right to write, too little room on the disk or within the home's own end.
    `bytes` is what the home takes, None where it may take any."""
    home = settings.home
    lost = [] if store.problem is None else [f"{store.problem[0].upper()}{store.problem[1:]}."]
    if not os.access(home, os.W_OK):
        lost.append(f"{home.resolve()} cannot be written.")
    problems = []
    if media.altered:
        problems.append(
            f"{len(media.altered)} media files were altered, {min(media.altered)} for one; `python -m engine verify` names them."
        )
    free_mb = shutil.disk_usage(home).free // 1_000_000
    if free_mb < settings.min_free_mb:
        problems.append(f"Only {free_mb} MB are left on the disk of {home.resolve()}; make room.")
    if bytes is None:
        return HomeHealth((*lost, *problems), not lost)
    max_bytes = settings.max_home_mb * 1_000_000
    if bytes >= max_bytes:
        problems.append(
            f"The home takes {bytes // 1_000_000:,} MB of {settings.max_home_mb:,} MB (STUDIO_MAX_HOME_MB), and nothing new is "
            "kept; delete something or allow more."
        )
    return HomeHealth((*lost, *problems), not lost, bytes, max_bytes)
