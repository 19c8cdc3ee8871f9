"""The stage: the source picture (or a frame of the clip) with a numbered box for every look that the model took, and
the crops below.

Value (made by `ui.trace_values.source_value`):

    {"media": [{"sha256", "kind": "image" | "video", "width", "height", "times_s": [s, ...], "name"}],
     "marks": [a value of `ui.trace_values.view_values` | {"step": index, "box": None for the whole picture}],
     "of": str (optional: which attempt; with another one, clips turn to their first frame),
     "look": {"media": index, "frame": k} | None   (which frame of a clip to turn to; None leaves it to the person)}

Boxes are in the original's coordinates and drawn in an SVG whose viewBox is the original's pixels. A box of a clip
shows on its own frame only. Pointing at a box or crop lights up its card (document event studio:step); a crop opens
at full size in a new tab. The document event studio:looked {"media", "frame"} tells the filmstrip which frame stands
on the stage, studio:staged {"media": [hashes]} whoever cares which media do.

Not covered: changing a box; the workbench's editor is a component of its own.
"""

from __future__ import annotations

from ui.components.component import StudioComponent

__all__ = ["Source"]


class Source(StudioComponent):
    FILES = "source"
