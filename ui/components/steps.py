"""Step cards: what the model thought, did and saw, one card a step, growing while it is still thinking.

Value (made by `ui.trace_values.steps_value`):

    {"views": [view], "steps": [step | {"is_live": True} (of the one being written)],
     "empty": str (optional, what to say without steps)}

with views and steps as `ui.trace_values.view_values` and `step_value` give them. `ui/client/step_card.js` draws them.
Cards and boxes light up together through the document event studio:step.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Steps"]


class Steps(StudioComponent):
    FILES = "steps"
