"""Commands that do today what a screen will do one day, to be read and copied.

Value: {"items": [{"does": str, "command": str}]}. Each has a button that copies it and says so.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Commands"]


class Commands(StudioComponent):
    FILES = "commands"
