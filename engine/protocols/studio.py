"""The wire format of the embedded reasoner: short, without a system message, coordinates on a 0.01 grid.

    ...thought...<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [0.31, 0.40, 0.45, 0.50], "target_image": 1}}</tool_call>
    ...thought...<tool_call>{"name": "select_frames", "arguments": {"target_frames": [3, 4]}}</tool_call>
    ...thought... \\boxed{KX7421}

Coordinates run from 0 to 1 over the target picture and are written with two decimals, so that each is one token of the
embedded reasoner's vocabulary. Sizes in results are those of the cut pixels before any resizing.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidBox, InvalidInput, MalformedCall, UnknownOperation
from engine.media import Sampling
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
from engine.protocols.wire import Part, PicturePart, TextPart, is_selection
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn, view_size

__all__ = ["CALL_END", "CROP_RULE", "NAME", "NO_OPERATIONS", "observation", "opening", "parse", "render", "system"]

NAME = "studio"
CROP_RULE = CropRule(padding=0.0, min_side_px=1)
CLIP_SAMPLING: Sampling = "time"
CLIP_IS_ONE_VIDEO = False
NO_OPERATIONS = " Answer without operations."


def system(views: Sequence[View], is_operating: bool) -> None:
    """None: the embedded reasoner knows its two operations by heart."""
    return None


def opening(question: str, options: Sequence[str], views: Sequence[View], is_operating: bool) -> tuple[Part, ...]:
    parts: list[Part] = []
    for view in views:
        if view.frame is None:
            parts.append(PicturePart(view, "image"))
        else:
            parts += [TextPart(f"Frame {view.frame}:"), PicturePart(view, "frame")]
    return *parts, TextPart(question_text(question, options) + ("" if is_operating else NO_OPERATIONS))


def observation(
    observation: Observation,
    views: Sequence[View],
    media: Sequence[Media],
    shown_sizes: Sequence[tuple[int, int]],
) -> tuple[Part, ...]:
    if observation.error is not None:
        return (TextPart(f"Execution error: {observation.error}"),)
    new = [views[number - 1] for number in observation.views]
    width, height = view_size(new[0], media)
    if is_selection(new):
        first, last = new[0].number, new[-1].number
        text = f"Here are the selected frames (Frame Size: {width}x{height}, Numbered {first} to {last}):"
        return TextPart(text), *(PicturePart(view, "selected_frame") for view in new)
    return TextPart(f"Here is the cropped image (Image Size: {width}x{height}):"), PicturePart(new[0], "crop")


def render(step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
    if step.operation is not None or step.answer is not None:
        require_unmarked(step.thought, step.answer or "")
    if isinstance(step.operation, ZoomIn):
        _require_writable(step.operation.box)
        coordinates = ", ".join(f"{v:.2f}" for v in step.operation.box.as_list())
        arguments = f'{{"bbox_2d": [{coordinates}], "target_image": {step.operation.view}}}'
        return f'{step.thought}{CALL_START}{{"name": "zoom_in", "arguments": {arguments}}}{CALL_END}'
    if isinstance(step.operation, SelectFrames):
        arguments = f'{{"target_frames": [{", ".join(map(str, step.operation.frames))}]}}'
        return f'{step.thought}{CALL_START}{{"name": "select_frames", "arguments": {arguments}}}{CALL_END}'
    if step.answer is not None:
        return f"{step.thought} {boxed(step.answer)}" if step.thought else boxed(step.answer)
    return step.thought


def _require_writable(box: Box) -> None:
    """Two decimals must leave something of a box."""
    if f"{box.x1:.2f}" == f"{box.x2:.2f}" or f"{box.y1:.2f}" == f"{box.y2:.2f}":
        raise InvalidInput(
            f"the box {box.as_list()} is empty when written with two decimals; make it at least 0.01 wide and high"
        )


def parse(
    text: str, views: Sequence[View], media: Sequence[Media], shown_sizes: Sequence[tuple[int, int]] = ()
) -> Step:
    call = find_call(text)
    if call is None:
        thought, answer = read_answer(text)
        return Step(thought, answer=answer)
    if call.name == "zoom_in":
        return Step(call.thought, ZoomIn(target_view(call.arguments), box_of(call.arguments.get("bbox_2d"))))
    if call.name == "select_frames":
        return Step(call.thought, SelectFrames(frame_numbers(call.arguments.get("target_frames"))))
    raise UnknownOperation(f"there is no operation {call.name!r}; use zoom_in or select_frames")


def target_view(arguments: object) -> int:
    """The whole number under target_image. Raises MalformedCall."""
    value = arguments.get("target_image") if isinstance(arguments, dict) else None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedCall(f"target_image needs the number of a picture, not {value!r}")
    return value


def box_of(value: object) -> Box:
    """Four numbers from 0 to 1. Raises InvalidBox."""
    if not isinstance(value, list) or len(value) != 4:
        raise InvalidBox(f"bbox_2d needs four numbers [x1, y1, x2, y2], not {value!r}")
    return Box(*value)
