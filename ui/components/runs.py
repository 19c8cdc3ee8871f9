"""The history of runs, newest first, to choose from.

Value: {"items": [{"id": str, "title": str, "state": JobState, "label": str, "when": str, "detail": str, "badge": str}],
"current": job id | None, "empty": str}. Event: `pick`, with `current` set in the value. Arrow keys move, Enter picks.
"""

from __future__ import annotations

from ui.components.part import Part

__all__ = ["Runs"]


class Runs(Part):
    FILES = "runs"
    TRIGGERS = ("pick",)
