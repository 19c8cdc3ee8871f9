"""A gallery of examples to try with one click.

Value: {"items": [{"title": str, "question": str, "kind": "image" | "video", "url": str}], "current": index | None}, or
None while the samples are still being drawn.
Event: `pick`, with `current` set in the value. Arrow keys move, Enter picks.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Samples"]


class Samples(StudioComponent):
    FILES = "samples"
    TRIGGERS = ("pick",)
