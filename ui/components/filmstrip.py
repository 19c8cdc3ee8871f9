"""The frames of a clip with their times; those that the model chose light up in the colour of its step.

Value (made by `ui.trace_values.filmstrip_value`):

    {"media": index of the clip among the media | None,
     "frames": [{"frame": k (from 1), "time_s": float, "url": str}],
     "lit": [{"frame": k, "step": index of the step}]}

Choosing a frame (click, arrow keys) shows it on the stage, through the document event studio:frame. Without frames it
takes no room. Drawn by `ui/client/filmstrip.js`, as the filmstrip of the workbench is.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Filmstrip"]


class Filmstrip(StudioComponent):
    FILES = "filmstrip"
