"""Who answers in Ask now: the backbone alone, or with which adapter, and since when.

Value: {"name": str, "detail": str, "is_adapted": bool, "since": str | None (UTC)}.
"""

from __future__ import annotations

from ui.components.part import Part

__all__ = ["WhoAnswers"]


class WhoAnswers(Part):
    FILES = "who"
