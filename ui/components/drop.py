"""Where pictures and clips come in: drop, paste or choose; each file goes to `POST /media` and is checked there on
arrival.

Value: {"media": [a value of `ui.trace_values.media_value`, ...] | None, "is_compact": bool}. The browser sets `media`
when every file was taken; Python should read only the "sha256" of each and look the rest up. `is_compact` shrinks the
field to one line when there is something to look at already.

Event: `take` after files were taken. A refusal is said below the field, in the server's own sentence, and changes
nothing else.
"""

from __future__ import annotations

from typing import Any

from engine.media import ACCEPTED_EXTENSIONS
from ui.components.component import StudioComponent

__all__ = ["Drop"]


class Drop(StudioComponent):
    """`max_files` may come in at once, each of at most `max_mb` megabytes; more is refused with a sentence."""

    FILES = "drop"
    TRIGGERS = ("take",)

    def __init__(self, value: Any = None, *, max_files: int = 4, max_mb: int = 100, **options: Any):
        template = self.template().replace("<!--accept-->", ",".join(ACCEPTED_EXTENSIONS))
        template = template.replace("<!--limit-->", f"{max_mb} MB")
        super().__init__(value=value, template=template, max_files=max_files, max_mb=max_mb, **options)
