"""The wire format of DeepEyes (Qwen2.5-VL), as released at Visual-Agent/DeepEyes (visual_toolbox_v2, prompt version 2).

A system message declares the zoom; a turn thinks in `<think>`, then calls in `<tool_call>` or answers in `<answer>`; a result
comes back in a user turn, inside `<tool_response>`, an error without it.

**Boxes** are pixels of the original picture, at full resolution; without padding. What sticks out is cut off. Crops need
sides of more than 30 pixels, of which the longer is at most 100 times the shorter (validate_bbox).

**Pictures**: there, every zoom is into picture 0, the original. Here a question may show several pictures or the frames of
a clip: a zoom into another one names it by `img_idx` from 0, and without that it is picture 0, so that a question about one
picture is put and answered as published. A step that zooms into a crop is written as the zoom into its original.

Different from the source: the operation that turns a picture is not offered, and the sentences are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import InvalidInput, UnknownOperation, UnknownView
from engine.media import Sampling
from engine.operations import CropRule
from engine.protocols.arguments import clamped_box, four_numbers, frames_of, whole_number
from engine.protocols.calls import (
    ANSWER_END,
    ANSWER_START,
    CALL_END,
    CALL_START,
    TAGS,
    call_of,
    last_call,
    question_text,
    read_object,
    read_tagged_answer,
    require_unmarked,
    tagged,
    tagged_answer,
    thought_of,
    tools_message,
    written_call,
)
from engine.protocols.numbering import opening_views, zoom_from_root
from engine.protocols.wire import Part, PicturePart, TextPart, picture_role
from engine.protocols.zoom_tool import SELECT_NAME, ZOOM_NAME, select_tool, shows_clip, zoom_tool
from engine.trace import Media, Observation, SelectFrames, Step, View, ZoomIn, medium_of

__all__ = ["CALL_END", "CROP_RULE", "NAME", "observation", "opening", "parse", "render", "system"]

NAME = "deepeyes"
CROP_RULE = CropRule(padding=0.0, min_side_px=31, max_aspect_ratio=100.0)
CLIP_SAMPLING: Sampling = "time"
CLIP_IS_ONE_VIDEO = False

_SYSTEM = "You are a helpful assistant."
_PIXELS = "in pixels of the original image"
_ZOOM = zoom_tool(_PIXELS, {}, ["bbox_2d"])
_ZOOM_OF_SEVERAL = zoom_tool(
    _PIXELS,
    {"img_idx": {"type": "integer", "description": "Number of the image, counted from 0 among those of the question."}},
    ["bbox_2d"],
)
_FORM = "Write <think>...</think>, then <tool_call>...</tool_call> to look closer, or <answer>...</answer> to answer."
_FORM_WITHOUT = "Write <think>...</think>, then <answer>...</answer>."


def system(views: Sequence[View], is_operating: bool) -> str:
    if not is_operating:
        return _SYSTEM
    tools = [_ZOOM_OF_SEVERAL if len(views) > 1 else _ZOOM]
    return tools_message(_SYSTEM, [*tools, select_tool(views)] if shows_clip(views) else tools)


def opening(question: str, options: Sequence[str], views: Sequence[View], is_operating: bool) -> tuple[Part, ...]:
    pictures = (PicturePart(view, picture_role(view, is_opening=True)) for view in views)
    form = _FORM if is_operating else _FORM_WITHOUT
    return *pictures, TextPart(f"{question_text(question, options)}\n\n{form}")


def observation(
    observation: Observation,
    views: Sequence[View],
    media: Sequence[Media],
    shown_sizes: Sequence[tuple[int, int]],
) -> tuple[Part, ...]:
    if observation.error is not None:
        return (TextPart(f"Error: {observation.error}"),)
    new = (views[number - 1] for number in observation.views)
    pictures = (PicturePart(view, picture_role(view, is_opening=False)) for view in new)
    return TextPart("<tool_response>"), *pictures, TextPart(f"\n{_FORM}</tool_response>")


def render(step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
    if step.operation is not None or step.answer is not None:
        require_unmarked(step.thought, step.answer or "", marks=TAGS)
    if isinstance(step.operation, ZoomIn):
        zoom = zoom_from_root(step.operation, views, media)
        if not media:
            raise InvalidInput("a box cannot be written in pixels without the media that it is of")
        medium = medium_of(views[zoom.view - 1], media) if 1 <= zoom.view <= len(views) else media[0]
        box = list(zoom.box.to_pixels((medium.width, medium.height)))
        index = {"img_idx": zoom.view - 1} if zoom.view != 1 else {}
        return tagged(step.thought, written_call(ZOOM_NAME, {"bbox_2d": box, **index}))
    if isinstance(step.operation, SelectFrames):
        return tagged(step.thought, written_call(SELECT_NAME, {"target_frames": list(step.operation.frames)}))
    if step.answer is not None:
        return tagged(step.thought, tagged_answer(step.answer))
    return step.thought


def parse(
    text: str, views: Sequence[View], media: Sequence[Media], shown_sizes: Sequence[tuple[int, int]] = ()
) -> Step:
    found = last_call(text, CALL_START, CALL_END)
    thought, answer = read_tagged_answer(text)
    # The released code looks for an answer first, and ends the attempt with it.
    if found is None or (answer and ANSWER_START in text and ANSWER_END in text):
        return Step(thought.partition(CALL_START)[0].strip(), answer=answer)
    before, body, is_closed = found
    call = call_of(thought_of(before), read_object(body, is_closed), body, has_text_arguments=True)
    if call.name == ZOOM_NAME:
        number = whole_number(call.arguments.get("img_idx", 0), "img_idx")
        count = len(opening_views(views, media))
        if not 0 <= number < count:
            raise UnknownView(f"there is no image {number}; those of the question are numbered 0 to {count - 1}")
        medium = medium_of(views[number], media)
        box = clamped_box(four_numbers(call.arguments.get("bbox_2d")), medium.width, medium.height)
        return Step(call.thought, ZoomIn(number + 1, box))
    if call.name == SELECT_NAME:
        return Step(call.thought, SelectFrames(frames_of(call.arguments.get("target_frames"))))
    raise UnknownOperation(f"there is no operation {call.name!r}; use {ZOOM_NAME} or {SELECT_NAME}")
