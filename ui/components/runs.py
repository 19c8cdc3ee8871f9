"""The history of runs, newest first, to choose from.

Value: {"items": [{"id": str, "title": str, "state": JobState, "label": str, "when": str, "detail": str, "badge": str}],
"current": job id | None, "empty": str}. Event: `pick`, with `current` set in the value. Arrow keys move, Enter picks.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Runs"]


class Runs(StudioComponent):
    FILES = "runs"
    TRIGGERS = ("pick",)
