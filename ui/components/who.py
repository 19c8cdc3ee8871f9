"""Who answers in Ask now: the backbone alone, or with which adapter, and since when.

Value: {"name": str, "detail": str, "is_adapted": bool, "since": str | None (UTC)}.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["WhoAnswers"]


class WhoAnswers(StudioComponent):
    FILES = "who"
