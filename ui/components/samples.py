"""A gallery of examples to try with one click.

Value: {"items": [{"title": str, "question": str, "kind": "image" | "video", "url": str, "sha256": str}], "current": index |
None}, or None while the samples are still being drawn.
Event: `pick`, with `current` set in the value. Arrow keys move, Enter picks. The sample whose picture stands on the stage is
lit (document event studio:staged), however it came there.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Samples"]


class Samples(StudioComponent):
    FILES = "samples"
    TRIGGERS = ("pick",)
