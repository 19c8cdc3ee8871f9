"""One sentence beside a button: what pressing it would do, or why it cannot be pressed.

Value: {"text": str, "tone": "plain" | "warn" | "bad"}. `describes` is the elem_id of the button, which the sentence
describes to screen readers; a change is said politely, a bad one at once. The elem_id of the sentence is that of the button
with "-plan": Gradio hands a part that is drawn late, in what was folded or hidden, nothing else that was given to it.
"""

from __future__ import annotations

from typing import Any

from ui.components.component import StudioComponent

__all__ = ["Plan"]


class Plan(StudioComponent):
    FILES = "plan"

    def __init__(self, value: Any = None, *, describes: str = "", **options: Any):
        super().__init__(value=value, elem_id=f"{describes}-plan", **options)
