"""Step cards: what the model thought, did and saw, one card a step, growing while it is still thinking.

Value (made by `ui.trace_values.steps_value`):

    {"steps": [{"thought": str, "name": "zoom_in" | "select_frames" | "answer" | "thought" | "call", "detail": str,
                "views": [{"view": n, "frame": k | None, "box": [x1, y1, x2, y2] | None, "url": str, "width": px, "height": px}],
                "error": str | None, "answer": str | None, "is_erroneous": bool, "is_live": bool,
                "badge": str (optional, a word such as "stale" or "edited")}],
     "current": index | None, "empty": str (optional, what to say without steps)}

Events: `pick` when a card is chosen, with `current` set in the value; only where the component was made with
`is_selectable=True`. Cards and boxes light up together through the document event studio:step.
"""

from __future__ import annotations

from typing import Any

from ui.components.component import StudioComponent

__all__ = ["Steps"]


class Steps(StudioComponent):
    FILES = "steps"
    TRIGGERS = ("pick",)

    def __init__(self, value: Any = None, *, is_selectable: bool = False, **options: Any):
        super().__init__(value=value, is_selectable=is_selectable, **options)
