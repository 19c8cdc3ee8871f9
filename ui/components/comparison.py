"""Before and after on held-out examples: how many were right, and on which examples the answers differ.

Value (made by `ui.training.comparing.comparison_value`):

    {"bars": [{"label": str, "right": int, "total": int}], "verdict": str, "tone": "good" | "plain" | "bad",
     "note": str, "examples": [{"question": str, "gold": str,
                                "answers": [{"label": str, "text": str, "is_right": bool | None}]}],
     "empty": str (what to say without bars)}

Events: none. Which examples they are stands below the bars, all of them, behind a disclosure.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Comparison"]


class Comparison(StudioComponent):
    FILES = "comparison"
