"""How a running job tells where it is, and hears that it should stop: the one way between a job and the store.

Invariant: what is said is in the store before anyone acts on it, so a page that is opened later shows the whole run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.store import Job, JobEvent, Store

__all__ = ["OnEvent", "OnProgress", "Report", "Unheard", "duration"]

_ASK_AGAIN_S = 0.25

OnEvent = Callable[[int | None, str, Mapping[str, Any]], None]
"""on_event(step, kind, data): what was just recorded."""

OnProgress = Callable[[str], None]
"""on_progress(sentence): where it is."""


@dataclass(slots=True)
class Report:
    """`folder` is the job's own, for checkpoints: it lasts until the job is done. `is_closing` says that the studio ends."""

    store: Store
    job: Job
    folder: Path
    is_closing: Callable[[], bool]
    on_event: OnEvent
    on_progress: OnProgress = lambda sentence: None
    _asked_at: float = 0.0
    _is_stop_known: bool = False

    def say(self, step: int | None, kind: str, data: Mapping[str, Any]) -> None:
        """Record an event."""
        self.store.jobs.add_event(self.job.id, step, kind, data)
        self.on_event(step, kind, data)

    def said(self, kind: str) -> list[JobEvent]:
        """The events of a kind, those of earlier runs of the job too, oldest first."""
        return self.store.jobs.events(self.job.id, kind=kind, limit=1_000_000)

    def progress(self, share: float | None = None, message: str | None = None) -> None:
        """A sign of life, with how far it is (`share` in [0, 1]) and a sentence, where they have changed."""
        self.store.jobs.heartbeat(self.job.id, share, message)
        if message is not None:
            self.on_progress(message)

    def should_stop(self) -> bool:
        """Whether to end at the next place that can be gone on from."""
        self._is_stop_known = self.is_closing() or self.store.jobs.is_stop_requested(self.job.id)
        self._asked_at = time.monotonic()
        return self._is_stop_known

    def should_stop_soon(self) -> bool:
        """`should_stop` for those who ask before every token: looks a few times a second, and shows a sign of life."""
        if time.monotonic() - self._asked_at > _ASK_AGAIN_S:
            self.should_stop()
            self.progress()
        return self._is_stop_known


class Unheard(Report):
    """Of a process that follows another one's job: what it says is not recorded, and it stops when the other one does."""

    def say(self, step: int | None, kind: str, data: Mapping[str, Any]) -> None: ...

    def said(self, kind: str) -> list[JobEvent]:
        return []

    def progress(self, share: float | None = None, message: str | None = None) -> None: ...

    def should_stop(self) -> bool:
        return False


def duration(seconds: float) -> str:
    """A time as a person would say it: 40 s, 3 min, 1 h 20 min."""
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
