"""What a run would learn from: how much was accepted, what it is made of, and what must stay out and why.

Value (made by `ui.training.basis.basis_value`):

    {"count": int, "unit": str, "note": str, "facts": [{"name": str, "value": str}],
     "objections": [{"reason": str, "traces": [{"href": str, "text": str}], "more": int}],
     "link": {"href": str, "text": str} | None (where the traces can be looked at)}
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Basis"]


class Basis(StudioComponent):
    FILES = "basis"
