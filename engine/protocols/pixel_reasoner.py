"""The wire format of PixelReasoner-RL-v1 and -WarmStart (Qwen2.5-VL), as released at TIGER-AI-Lab/Pixel-Reasoner.

A system message declares the two operations as JSON; calls stand on lines of their own; results come back in user turns
that open with a newline; sizes in results are those of the pictures as shown, after the pixel budget.

Coordinates are relative (0 to 1) at RL time and absolute pixels of the target picture in the published SFT data. The
released code reads any value >= 1 as pixels, so a relative box that touches the right or lower edge (exactly 1.0) is
misread there. Here a box is in pixels only where a value is 2 or more, so 1.0 is the edge.

Each crop is padded by 0.1 of the picture on every side and has sides of at least 28 pixels: released code, kept because
the published accuracy was measured with it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from engine.errors import InvalidBox, UnknownOperation, UnknownView
from engine.operations import CropRule
from engine.protocols.calls import (
    CALL_END,
    CALL_START,
    boxed,
    find_call,
    frame_numbers,
    question_text,
    read_answer,
    require_unmarked,
)
from engine.protocols.studio import is_selection, target_view
from engine.protocols.wire import Part, PicturePart, TextPart
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn, view_size

__all__ = ["CROP_RULE", "NAME", "observation", "opening", "parse", "render", "system"]

NAME = "pixel-reasoner"
CROP_RULE = CropRule(padding=0.1, min_side_px=28)

ZOOM_NAME = "crop_image_normalized"
ZOOM_ALIASES = (ZOOM_NAME, "crop_image", "zoom_in")

_TOOLS: tuple[dict[str, Any], ...] = (
    {
        "type": "function",
        "function": {
            "name": ZOOM_NAME,
            "description": "Zoom in on the image based on the bounding box coordinates. It is useful when the object "
            "or text in the image is too small to be seen.",
            "parameters": {
                "type": "object",
                "properties": {
                    "bbox_2d": {
                        "type": "array",
                        "description": "coordinates for bounding box of the area you want to zoom in. minimum value "
                        "is 0 and maximum value is 1.",
                        "items": {"type": "number"},
                    },
                    "target_image": {
                        "type": "number",
                        "description": "The index of the image to crop. Index from 1 to the number of images. Choose 1 "
                        "to operate on original image.",
                    },
                },
                "required": ["bbox_2d", "target_image"],
            },
        },
    },
    {
        "type": "function",
        "function": {
            "name": "select_frames",
            "description": "Select frames from a video.",
            "parameters": {
                "type": "object",
                "properties": {
                    "target_frames": {
                        "type": "array",
                        "description": "List of frame indices to select from the video (no more than 8 frames in "
                        "total).",
                        "items": {"type": "integer", "description": "Frame index from 1 to 16."},
                    }
                },
                "required": ["target_frames"],
            },
        },
    },
)
_SYSTEM = "You are a helpful assistant."
_GUIDELINES = (
    "\n\nGuidelines: Understand the given visual information and the user query. Determine if it is beneficial to "
    "employ the given visual operations (tools). For a video, we can look closer by `select_frames`. For an image, we "
    "can look closer by `crop_image`. Reason with the visual information step by step, and put your final answer "
    "within \\boxed{}."
)
_GUIDELINES_WITHOUT = "\n\nPlease think step by step, and put your final answer within \\boxed{}."


def system(is_operating: bool) -> str:
    if not is_operating:
        return _SYSTEM
    tools = "\n".join(json.dumps(tool) for tool in _TOOLS)
    return (
        f"{_SYSTEM}\n\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are provided "
        f"with function signatures within <tools></tools> XML tags:\n<tools>\n{tools}\n</tools>\n\nFor each function "
        "call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:\n"
        '<tool_call>\n{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
    )


def opening(question: str, options: Sequence[str], views: Sequence[View], is_operating: bool) -> tuple[Part, ...]:
    pictures = (PicturePart(view, "image" if view.frame is None else "frame") for view in views)
    text = question_text(question, options) + (_GUIDELINES if is_operating else _GUIDELINES_WITHOUT)
    return *pictures, TextPart(text)


def observation(
    observation: Observation,
    views: Sequence[View],
    media: Sequence[Media],
    shown_sizes: Sequence[tuple[int, int]],
) -> tuple[Part, ...]:
    if observation.error is not None:
        return (TextPart(f"\nExecution error:\n{observation.error}\n"),)
    new = [views[number - 1] for number in observation.views]
    width, height = shown_sizes[0]
    if is_selection(new, views):
        first, last = new[0].number, new[-1].number
        text = f"\nHere are the selected frames (Frame Size: {width}x{height}, Numbered {first} to {last}):"
        return TextPart(text), *(PicturePart(view, "selected_frame") for view in new)
    return TextPart(f"\nHere is the cropped image (Image Size: {width}x{height}):"), PicturePart(new[0], "crop")


def render(step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
    if step.operation is not None or step.answer is not None:
        require_unmarked(step.thought, step.answer or "")
    if step.operation is not None:
        if isinstance(step.operation, ZoomIn):
            name, arguments = (
                ZOOM_NAME,
                {
                    "bbox_2d": step.operation.box.as_list(),
                    "target_image": step.operation.view,
                },
            )
        else:
            name, arguments = "select_frames", {"target_frames": list(step.operation.frames)}
        call = f"{CALL_START}\n{json.dumps({'name': name, 'arguments': arguments})}\n{CALL_END}"
        return f"{step.thought}\n\n{call}" if step.thought else call
    if step.answer is not None:
        return f"{step.thought}\n\n{boxed(step.answer)}" if step.thought else boxed(step.answer)
    return step.thought


def parse(text: str, views: Sequence[View], media: Sequence[Media]) -> Step:
    call = find_call(text)
    if call is None:
        thought, answer = read_answer(text)
        return Step(thought, answer=answer)
    if call.name in ZOOM_ALIASES:
        number = target_view(call.arguments)
        if not 1 <= number <= len(views):
            raise UnknownView(f"there is no picture {number}; the pictures are numbered 1 to {len(views)}")
        size = view_size(views[number - 1], media)
        return Step(call.thought, ZoomIn(number, read_box(call.arguments.get("bbox_2d"), size)))
    if call.name == "select_frames":
        return Step(call.thought, SelectFrames(frame_numbers(call.arguments.get("target_frames"))))
    raise UnknownOperation(f"there is no operation {call.name!r}; use {ZOOM_NAME} or select_frames")


def read_box(value: object, size: tuple[int, int]) -> Box:
    """A box in relative coordinates or, where a value is 2 or more, in pixels of a picture of `size` (width, height);
    pixel values past the edge are clamped to it. Raises InvalidBox."""
    if not isinstance(value, list) or len(value) != 4:
        raise InvalidBox(f"bbox_2d needs four numbers [x1, y1, x2, y2], not {value!r}")
    if not all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value):
        raise InvalidBox(f"bbox_2d needs four numbers, not {value!r}")
    if max(value) < 2:
        return Box(*value)
    if not all(-math.inf < v < math.inf for v in value):
        raise InvalidBox(f"bbox_2d needs four finite numbers, not {value!r}")
    width, height = size
    # Clamped before dividing: an integer of hundreds of digits is no float.
    x1, y1, x2, y2 = (min(v, edge) / edge for v, edge in zip(value, (width, height, width, height), strict=True))
    return Box(x1, y1, x2, y2)
