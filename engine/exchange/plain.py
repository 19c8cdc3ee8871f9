r"""The words of conversations that belong to no family of models: for chat interfaces and logs, which call by JSON.

    zoom_in(bbox_2d, target_image)    the region [x1, y1, x2, y2], from 0 to 1 of the picture `target_image`
    select_frames(target_frames)      up to 8 frames of the clip

Pictures count from 1 in the order they were shown, each frame of a clip by itself; crops are cut without padding. It is
`studio` (`engine.protocols.studio`) with every digit of a box, which that rounds to two decimals, and with declarations for
models that do not know the operations by heart. It offers what `engine.protocols.wire.WireProtocol` asks for; a trace that
was read in it says `studio`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import MalformedCall, UnknownOperation
from engine.media import Sampling
from engine.operations import CropRule
from engine.protocols import studio
from engine.protocols.arguments import clamped_box, four_numbers, frames_of, whole_number
from engine.protocols.calls import (
    CALL_END,
    CALL_START,
    boxed,
    call_of,
    last_call,
    read_answer,
    read_object,
    require_unmarked,
)
from engine.protocols.studio import NO_OPERATIONS, observation, opening
from engine.trace import MAX_SELECTED_FRAMES, Media, SelectFrames, Step, View, ZoomIn

__all__ = [
    "CALL_END",
    "CROP_RULE",
    "NAME",
    "NO_OPERATIONS",
    "declarations",
    "observation",
    "opening",
    "parse",
    "render",
    "system",
    "written",
]

NAME = studio.NAME
CROP_RULE = CropRule()
CLIP_SAMPLING: Sampling = "time"

_ZOOM, _SELECT = "zoom_in", "select_frames"
_ALIASES = (_ZOOM, "crop_image", "crop_image_normalized")


def system(views: Sequence[View], is_operating: bool) -> str:
    ask = " Look closer where that helps, one operation at a time." if is_operating else ""
    return f"Answer the question about what you are shown.{ask} Put the final answer in \\boxed{{}}."


def declarations(views: Sequence[View]) -> list[dict[str, Any]]:
    """The operations as functions, as OpenAI's interface declares them; the selection where `views` show a clip."""
    box = {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 4}
    zoom = _declared(
        _ZOOM,
        "Show a region of a picture again, cut out at full resolution.",
        {
            "bbox_2d": box | {"description": "[x1, y1, x2, y2], from 0 to 1 of the picture."},
            "target_image": {"type": "integer", "description": "Number of the picture, from 1 in the order shown."},
        },
    )
    if not any(view.frame is not None for view in views):
        return [zoom]
    numbers = {"type": "array", "items": {"type": "integer"}, "maxItems": MAX_SELECTED_FRAMES}
    return [zoom, _declared(_SELECT, "Show frames of the clip again.", {"target_frames": numbers})]


def _declared(name: str, description: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": list(properties)}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def render(step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
    if step.operation is not None or step.answer is not None:
        require_unmarked(step.thought, step.answer or "")
    if isinstance(step.operation, ZoomIn):
        return written(
            step.thought, _ZOOM, {"bbox_2d": step.operation.box.as_list(), "target_image": step.operation.view}
        )
    if isinstance(step.operation, SelectFrames):
        return written(step.thought, _SELECT, {"target_frames": list(step.operation.frames)})
    if step.answer is not None:
        return f"{step.thought}\n\n{boxed(step.answer)}" if step.thought else boxed(step.answer)
    return step.thought


def written(thought: str, name: str, arguments: object) -> str:
    """A turn that calls, as `parse` reads it; `arguments` may be an object or its text."""
    said = arguments if isinstance(arguments, str) else json.dumps(arguments)
    call = f'{CALL_START}\n{{"name": {json.dumps(name)}, "arguments": {said or "{}"}}}\n{CALL_END}'
    return f"{thought}\n\n{call}" if thought else call


def parse(
    text: str, views: Sequence[View], media: Sequence[Media], shown_sizes: Sequence[tuple[int, int]] = ()
) -> Step:
    found = last_call(text, CALL_START, CALL_END)
    if found is None:
        thought, answer = read_answer(text)
        return Step(thought, answer=answer)
    before, body, is_closed = found
    call = call_of(before.strip(), read_object(body, is_closed), body, has_text_arguments=True)
    if call.name in _ALIASES:
        number = whole_number(call.arguments.get("target_image", 1), "target_image")
        values = four_numbers(call.arguments.get("bbox_2d"))
        if max(values) >= 2:
            raise MalformedCall(f"bbox_2d goes from 0 to 1, not {list(values)}")
        return Step(call.thought, ZoomIn(number, clamped_box(values, 1, 1)))
    if call.name == _SELECT:
        return Step(call.thought, SelectFrames(frames_of(call.arguments.get("target_frames"))))
    raise UnknownOperation(f"there is no operation {call.name!r}; use {_ZOOM} or {_SELECT}")
