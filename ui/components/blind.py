"""Two answers to one question, side by side and blind, and which of them is better.

Value (made by `ui.asking.pairing.pair_value`):

    {"state": "none" | "running" | "done", "note": str, "can_choose": bool, "attempts": [ids, while it runs],
     "sides": [{"id": revision, "trace": id, "answer": str | None, "steps": [...], "views": [...]}, of A and of B]}

A choice is kept by POST /curate/prefer, which answers with who made which; only then the page says so. Events: none.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Blind"]


class Blind(StudioComponent):
    FILES = "blind"
