"""Step cards: what the model thought, did and saw, one card a step, growing while it is still thinking.

Value (made by `ui.trace_values.steps_value`):

    {"steps": [{"thought": str, "name": "zoom_in" | "select_frames" | "answer" | "thought" | "call", "detail": str,
                "views": [{"view": n, "frame": k | None, "box": [x1, y1, x2, y2] | None, "url": str, "width": px, "height": px}],
                "error": str | None, "answer": str | None, "is_erroneous": bool, "is_live": bool}],
     "empty": str (optional, what to say without steps)}

Cards and boxes light up together through the document event studio:step.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Steps"]


class Steps(StudioComponent):
    FILES = "steps"
