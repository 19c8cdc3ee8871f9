"""The wire format of Qwen3-VL and Qwen3.5, and of what is trained from them to zoom (SenseNova-MARS).

A system message declares the operations as the chat template does; a call is JSON in `<tool_call>`; results come back in a
user turn inside `<tool_response>`, which is how the template writes the role `tool`.

**Boxes** are whole numbers from 0 to 1000 over the picture, whatever its size (Qwen-Agent, tools/image_zoom_in_qwen3vl.py;
SenseNova-MARS, relative_coord_max 1000). Without padding. What sticks out is cut off, as Qwen-Agent does; SenseNova-MARS
refuses it.

**Pictures** are called by `img_idx` from 0 and are those of the question, each frame of a clip by itself: crops are not
among them, and a further zoom is relative to the original (SenseNova-MARS, inference/eval.py). A step that zooms into a crop
is written as the zoom into its original that shows the same region, and read back as that.

Different from the source: `label` is required there, and is written empty, since a step has none; a region of less than 32
pixels is not widened, it is shown as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.errors import UnknownOperation, UnknownView
from engine.media import Sampling
from engine.operations import CropRule
from engine.protocols.arguments import clamped_box, four_numbers, frames_of, whole_number
from engine.protocols.calls import (
    CALL_END,
    CALL_START,
    boxed,
    call_of,
    last_call,
    question_text,
    read_object,
    read_tagged_answer,
    require_unmarked,
    thought_of,
    tools_message,
    written_call,
)
from engine.protocols.numbering import opening_views, zoom_from_root
from engine.protocols.wire import Part, PicturePart, TextPart, picture_role
from engine.protocols.zoom_tool import SELECT_NAME, ZOOM_NAME, select_tool, shows_clip, zoom_tool
from engine.trace import Box, Media, Observation, SelectFrames, Step, View, ZoomIn

__all__ = ["CALL_END", "CROP_RULE", "NAME", "observation", "opening", "parse", "render", "system"]

NAME = "qwen3-vl"
CROP_RULE = CropRule(padding=0.0, min_side_px=1)
CLIP_SAMPLING: Sampling = "index"
CLIP_IS_ONE_VIDEO = False
"""Its own processor takes indices evenly."""

SCALE = 1000
_SYSTEM = "You are a helpful assistant."
ZOOM = zoom_tool(
    f"in thousandths of the image's width and height (0 to {SCALE})",
    {"img_idx": {"type": "number", "description": "Number of the image, counted from 0 among those of the question."}},
    ["bbox_2d", "label", "img_idx"],
)
_GUIDELINES = (
    "\n\nLook closer with the tools where something is too small to be seen. Put the final answer in \\boxed{}."
)
_GUIDELINES_WITHOUT = "\n\nPut the final answer in \\boxed{}."
_UNWRITABLE = (CALL_START, "<answer>", "<think>", "</think>")


def system(views: Sequence[View], is_operating: bool) -> str:
    if not is_operating:
        return _SYSTEM
    return tools_message(_SYSTEM, [ZOOM, select_tool(views)] if shows_clip(views) else [ZOOM])


def opening(question: str, options: Sequence[str], views: Sequence[View], is_operating: bool) -> tuple[Part, ...]:
    pictures = (PicturePart(view, picture_role(view, is_opening=True)) for view in views)
    text = question_text(question, options) + (_GUIDELINES if is_operating else _GUIDELINES_WITHOUT)
    return *pictures, TextPart(text)


def observation(
    observation: Observation,
    views: Sequence[View],
    media: Sequence[Media],
    shown_sizes: Sequence[tuple[int, int]],
) -> tuple[Part, ...]:
    if observation.error is not None:
        return (TextPart(f"<tool_response>\nError: {observation.error}\n</tool_response>"),)
    new = (views[number - 1] for number in observation.views)
    pictures = (PicturePart(view, picture_role(view, is_opening=False)) for view in new)
    return TextPart("<tool_response>\n"), *pictures, TextPart("\n</tool_response>")


def render(step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
    if step.operation is not None or step.answer is not None:
        require_unmarked(step.thought, step.answer or "", marks=_UNWRITABLE)
    if isinstance(step.operation, ZoomIn):
        zoom = zoom_from_root(step.operation, views, media)
        arguments = {"bbox_2d": _thousandths(zoom.box), "label": "", "img_idx": zoom.view - 1}
        return _calling(step.thought, written_call(ZOOM_NAME, arguments))
    if isinstance(step.operation, SelectFrames):
        return _calling(step.thought, written_call(SELECT_NAME, {"target_frames": list(step.operation.frames)}))
    if step.answer is not None:
        return f"{step.thought}\n\n{boxed(step.answer)}" if step.thought else boxed(step.answer)
    return step.thought


def _calling(thought: str, call: str) -> str:
    """As the chat template writes `content` and `tool_calls` of one message."""
    return f"{thought}\n{call}" if thought else call


def _thousandths(box: Box) -> list[int]:
    """The box on the grid of the wire: rounded, and at least one step wide and high."""
    x1, y1 = (min(round(value * SCALE), SCALE - 1) for value in (box.x1, box.y1))
    return [x1, y1, max(round(box.x2 * SCALE), x1 + 1), max(round(box.y2 * SCALE), y1 + 1)]


def parse(
    text: str, views: Sequence[View], media: Sequence[Media], shown_sizes: Sequence[tuple[int, int]] = ()
) -> Step:
    found = last_call(text, CALL_START, CALL_END)
    if found is None:
        thought, answer = read_tagged_answer(text)
        return Step(thought, answer=answer)
    before, body, is_closed = found
    call = call_of(thought_of(before), read_object(body, is_closed), body, has_text_arguments=True)
    if call.name == ZOOM_NAME:
        number = whole_number(call.arguments.get("img_idx", 0), "img_idx")
        count = len(opening_views(views, media))
        if not 0 <= number < count:
            raise UnknownView(f"there is no image {number}; those of the question are numbered 0 to {count - 1}")
        return Step(
            call.thought, ZoomIn(number + 1, clamped_box(four_numbers(call.arguments.get("bbox_2d")), SCALE, SCALE))
        )
    if call.name == SELECT_NAME:
        return Step(call.thought, SelectFrames(frames_of(call.arguments.get("target_frames"))))
    raise UnknownOperation(f"there is no operation {call.name!r}; use {ZOOM_NAME} or {SELECT_NAME}")
