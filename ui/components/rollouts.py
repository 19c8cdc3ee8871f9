"""Sample rollouts of an RL run: the best and the worst attempt at a question, with their rewards in parts.

Value (made by `ui.training.attempts.attempts_value`):

    {"items": [{"step": int, "question": str, "gold": str, "sha256": str, "is_clip": bool, "share": str,
                "attempts": [{"total": str, "parts": str, "tone": "good" | "plain" | "bad", "answer": str,
                              "has_answer": bool, "lines": [{"kind": "thought" | "operation" | "error", "text": str}]}]}],
     "empty": str (what to say without items; "" hides the part)}

Events: none. Each item is a disclosure; the newest is open until somebody closes it, and what somebody opened stays open.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Rollouts"]


class Rollouts(StudioComponent):
    FILES = "rollouts"
