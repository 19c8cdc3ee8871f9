"""The wire format of Mini-o3 (Qwen2.5-VL), as released at Mini-o3/Mini-o3 (trainer/constants.py, function_tools.py).

A turn thinks in `<think>`, then looks with `<grounding>{"bbox_2d": [...], "source": "..."}</grounding>` or answers in
`<answer>`. A call has no name: what its JSON holds tells what it asks for.

**Boxes** are relative (0 to 1) to the picture that `source` names (use_relative_coordinates=True in the published commands);
without padding. What sticks out is cut off.

**Pictures**: `original_image`, and `observation_i` for the i-th picture that was shown after the question, from 1. The text of
a result counts them so, too; the released text counts turns, which is one too many after an error, while its own code
counts pictures. It knows one picture a question and no clips. Here `original_image_2` is the second picture, `frame_3` the
third frame of the clip, and `{"target_frames": [3, 4], "source": "original_video"}` selects frames; they are told of only where
a question shows them.

Different from the source: the last row and column of a picture can be asked for, and the sentences are ours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import MalformedCall, UnknownView
from engine.media import Sampling
from engine.operations import CropRule
from engine.protocols.arguments import clamped_box, four_numbers, frames_of
from engine.protocols.calls import (
    GROUNDING_END,
    GROUNDING_START,
    TAGS,
    last_call,
    question_text,
    read_object,
    read_tagged_answer,
    require_unmarked,
    tagged,
    tagged_answer,
    thought_of,
)
from engine.protocols.numbering import opening_views
from engine.protocols.wire import Part, PicturePart, TextPart, picture_role
from engine.protocols.zoom_tool import shows_clip
from engine.trace import MAX_SELECTED_FRAMES, Media, Observation, SelectFrames, Step, View, ZoomIn

__all__ = ["CALL_END", "CROP_RULE", "NAME", "observation", "opening", "parse", "render", "system"]

NAME = "mini-o3"
CALL_END = GROUNDING_END
CROP_RULE = CropRule(padding=0.0, min_side_px=1)
CLIP_SAMPLING: Sampling = "time"
CLIP_IS_ONE_VIDEO = False

_CLIP = "original_video"
_SYSTEM = (
    "You are a helpful assistant. Answer the question about what you are shown. Think inside <think> and </think>."
)
_LOOK = (
    ' To see a region larger, write <grounding>{"bbox_2d": [x0, y0, x1, y1], "source": "NAME"}</grounding> with its left, top, '
    "right and bottom edge, measured so that the picture is 1.0 wide and 1.0 high; NAME is "
)
_PICTURE_NAMES = "original_image, or observation_i for the i-th picture that came back."
_SEVERAL_NAMES = "original_image, original_image_2, ..., or observation_i for the i-th picture that came back."
_CLIP_NAMES = (
    "frame_i for the i-th frame of the video, or observation_i for the i-th picture that came back. To see up to "
    f'{MAX_SELECTED_FRAMES} frames larger, write <grounding>{{"target_frames": [i, j], "source": "{_CLIP}"}}</grounding>.'
)
_ANSWER = " Put the final answer inside <answer> and </answer>."
_GO_ON = "Go on inside <think> and </think>, then write <grounding> or <answer>."


def system(views: Sequence[View], is_operating: bool) -> str:
    if not is_operating:
        return _SYSTEM + _ANSWER
    names = _CLIP_NAMES if shows_clip(views) else _SEVERAL_NAMES if len(views) > 1 else _PICTURE_NAMES
    return _SYSTEM + _LOOK + names + _ANSWER


def opening(question: str, options: Sequence[str], views: Sequence[View], is_operating: bool) -> tuple[Part, ...]:
    pictures = (PicturePart(view, picture_role(view, is_opening=True)) for view in views)
    form = "" if is_operating else "\n\nAnswer from what you see."
    return *pictures, TextPart(question_text(question, options) + form)


def observation(
    observation: Observation,
    views: Sequence[View],
    media: Sequence[Media],
    shown_sizes: Sequence[tuple[int, int]],
) -> tuple[Part, ...]:
    if observation.error is not None:
        return (TextPart(f"Error: {observation.error}\n{_GO_ON}"),)
    opened = len(opening_views(views, media))
    parts: list[Part] = []
    for number in observation.views:
        view = views[number - 1]
        parts += [
            TextPart(f"Observation {number - opened}:\n"),
            PicturePart(view, picture_role(view, is_opening=False)),
        ]
        parts.append(TextPart("\n"))
    return *parts, TextPart(_GO_ON)


def render(step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
    if step.operation is not None or step.answer is not None:
        require_unmarked(step.thought, step.answer or "", marks=(*TAGS, GROUNDING_END))
    if isinstance(step.operation, ZoomIn):
        arguments = {"bbox_2d": step.operation.box.as_list(), "source": _name(step.operation.view, views, media)}
        return tagged(step.thought, _written(arguments))
    if isinstance(step.operation, SelectFrames):
        return tagged(step.thought, _written({"target_frames": list(step.operation.frames), "source": _CLIP}))
    if step.answer is not None:
        return tagged(step.thought, tagged_answer(step.answer))
    return step.thought


def _written(arguments: Mapping[str, Any]) -> str:
    return f"{GROUNDING_START}{json.dumps(arguments)}{GROUNDING_END}"


def parse(
    text: str, views: Sequence[View], media: Sequence[Media], shown_sizes: Sequence[tuple[int, int]] = ()
) -> Step:
    found = last_call(text, GROUNDING_START, GROUNDING_END)
    if found is None:
        thought, answer = read_tagged_answer(text)
        return Step(thought, answer=answer)
    before, body, is_closed = found
    arguments = read_object(body, is_closed)
    if not isinstance(arguments, dict) or not isinstance(arguments.get("source"), str):
        raise MalformedCall('a look is {"bbox_2d": [x0, y0, x1, y1], "source": "original_image"}, not ' + body[:200])
    thought, source = thought_of(before), arguments["source"].strip()
    if "target_frames" in arguments:
        return Step(thought, SelectFrames(frames_of(arguments["target_frames"])))
    names = {_name(view.number, views, media): view.number for view in views}
    if source not in names:
        raise UnknownView(f"there is no picture {source!r}; there are {_listed(list(names))}")
    return Step(thought, ZoomIn(names[source], clamped_box(four_numbers(arguments.get("bbox_2d")), 1, 1)))


def _name(number: int, views: Sequence[View], media: Sequence[Media]) -> str:
    """What the wire calls the view of that number, or the name that one so far out would have."""
    opened = opening_views(views, media)
    if number > len(opened) and opened:
        return f"observation_{number - len(opened)}"
    view = opened[number - 1] if 1 <= number <= len(opened) else None
    if view is not None and view.frame is not None:
        clip = [one.number for one in opened if one.frame is not None]
        return f"frame_{clip.index(number) + 1}"
    images = sum(one.frame is None for one in opened[: number - 1]) + 1 if view is not None else number
    return "original_image" if images == 1 else f"original_image_{images}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{names[0]}, {names[1]}, ..., {names[-1]}"
