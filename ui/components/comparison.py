"""Before and after on held-out examples: how many were right, and on which examples the answers differ.

Value (made by `ui.training.comparing.comparison_value`):

    {"bars": [{"label": str, "share": float | None, "error": str, "detail": str}], "verdict": str,
     "tone": "good" | "plain" | "bad", "note": str, "facts": [{"name": str, "value": str}],
     "examples": [values of `ui.evaluating.values.change_value`, those that changed first], "changed_count": int,
     "empty": str (what to say without bars)}

Events: none. Examples that did not change stand below, behind a disclosure.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Comparison"]


class Comparison(StudioComponent):
    FILES = "comparison"
