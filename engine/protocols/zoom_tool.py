"""`image_zoom_in_tool` and the selection of frames, as the families that call operations by JSON declare them.

The name and the arguments of the zoom are those of Qwen-Agent (tools/image_zoom_in_qwen3vl.py), DeepEyes (visual_toolbox_v2)
and SenseNova-MARS (tools_train.yaml). None of them knows clips: `select_frames` is declared as `pixel-reasoner` does, and
only where the question shows a clip, so that a question about pictures is put as these models know it. The descriptions
are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from engine.trace import MAX_SELECTED_FRAMES, View

__all__ = ["SELECT_NAME", "ZOOM_NAME", "select_tool", "shows_clip", "zoom_tool"]

ZOOM_NAME, SELECT_NAME = "image_zoom_in_tool", "select_frames"


def zoom_tool(coordinates: str, more: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    """The declaration of the zoom; `coordinates` says what a box is measured in, `more` are further arguments."""
    box = {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 4,
        "description": f"Region to look at, [left, top, right, bottom], {coordinates}.",
    }
    label = {"type": "string", "description": "What is expected to be seen in the region."}
    return _tool(
        ZOOM_NAME,
        "Show a region of an image again, cut out and enlarged.",
        {"bbox_2d": box, "label": label, **more},
        required,
    )


def select_tool(views: Sequence[View]) -> dict[str, Any]:
    """The declaration of the selection, for the clip that `views` show."""
    count = sum(view.frame is not None for view in views)
    frames = {
        "type": "array",
        "items": {"type": "integer", "description": f"Number of a frame, 1 to {count}."},
        "description": f"Frames to show, at most {MAX_SELECTED_FRAMES}.",
    }
    return _tool(SELECT_NAME, "Show frames of the video again, larger.", {"target_frames": frames}, ["target_frames"])


def shows_clip(views: Sequence[View]) -> bool:
    return any(view.frame is not None for view in views)


def _tool(name: str, description: str, properties: dict[str, Any], required: Sequence[str]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(required)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}
