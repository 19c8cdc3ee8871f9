"""The wire format of PixelReasoner-RL-v1 and -WarmStart (Qwen2.5-VL), as released at TIGER-AI-Lab/Pixel-Reasoner (a3a6c3a).

A system message declares the two operations as JSON; calls stand on lines of their own; results come back in user turns
that open with a newline; sizes in results are those of the pictures as shown, after the pixel budget.

**Boxes** are relative (0 to 1) at RL time and pixels in the published SFT data: pixels of the picture AS SHOWN, since the
released code cuts from pictures that it has resized. It reads any value >= 1 as pixels, so a relative box that touches the
right or lower edge (exactly 1.0) is misread there. Here a box is in pixels only where a value is 2 or more, so 1.0 is the
edge. What sticks out is cut off, as there.

**Pictures** are called by `target_image` from 1. A clip counts as ONE picture; what is shown after it follows from 2 on.
While nothing follows it, `target_image` names one of its frames. The text of a selection counts one less (a clip and four
frames: "Numbered 1 to 4", called 2 to 5): the released code says so, and the published model was trained on it. The
published format has no words for a zoom into an unselected frame once something follows the clip; it is written as
`target_image` of the clip with a `target_frame`, so that whatever a person draws can be said.

Each crop is padded by 0.1 of the picture on every side and has sides of more than 28 pixels of the picture as shown, which
has at least 256 visual tokens of 28 x 28: released code, kept because the published accuracy was measured with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import InvalidInput, UnknownOperation, UnknownView
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
    read_answer,
    read_object,
    require_unmarked,
    tools_message,
    written_call,
)
from engine.protocols.numbering import opening_views
from engine.protocols.wire import Part, PicturePart, TextPart, is_selection
from engine.trace import Media, Observation, SelectFrames, Step, View, ZoomIn, first_views

__all__ = [
    "CALL_END",
    "CROP_RULE",
    "GUIDELINES",
    "GUIDELINES_WITHOUT",
    "NAME",
    "observation",
    "opening",
    "parse",
    "render",
    "system",
]

NAME = "pixel-reasoner"
CROP_RULE = CropRule(padding=0.1, min_side_px=29, least_view_px=256 * 28 * 28)
CLIP_SAMPLING: Sampling = "index"
CLIP_IS_ONE_VIDEO = True
"""The published model was trained on even indices."""

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
GUIDELINES = (
    "\n\nGuidelines: Understand the given visual information and the user query. Determine if it is beneficial to "
    "employ the given visual operations (tools). For a video, we can look closer by `select_frames`. For an image, we "
    "can look closer by `crop_image`. Reason with the visual information step by step, and put your final answer "
    "within \\boxed{}."
)
GUIDELINES_WITHOUT = "\n\nPlease think step by step, and put your final answer within \\boxed{}."


def system(views: Sequence[View], is_operating: bool) -> str:
    return tools_message(_SYSTEM, _TOOLS) if is_operating else _SYSTEM


def opening(question: str, options: Sequence[str], views: Sequence[View], is_operating: bool) -> tuple[Part, ...]:
    pictures = (PicturePart(view, "image" if view.frame is None else "frame") for view in views)
    text = question_text(question, options) + (GUIDELINES if is_operating else GUIDELINES_WITHOUT)
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
    if is_selection(new):
        first = len(_called(views[: new[0].number - 1], media))
        last = first + len(new) - 1
        text = f"\nHere are the selected frames (Frame Size: {width}x{height}, Numbered {first} to {last}):"
        return TextPart(text), *(PicturePart(view, "selected_frame") for view in new)
    return TextPart(f"\nHere is the cropped image (Image Size: {width}x{height}):"), PicturePart(new[0], "crop")


def render(step: Step, views: Sequence[View], media: Sequence[Media]) -> str:
    if step.operation is not None or step.answer is not None:
        require_unmarked(step.thought, step.answer or "")
    if isinstance(step.operation, ZoomIn):
        arguments = {"bbox_2d": step.operation.box.as_list(), **_target(step.operation.view, views, media)}
        return _after(step.thought, written_call(ZOOM_NAME, arguments))
    if isinstance(step.operation, SelectFrames):
        return _after(step.thought, written_call("select_frames", {"target_frames": list(step.operation.frames)}))
    if step.answer is not None:
        return _after(step.thought, boxed(step.answer))
    return step.thought


def _after(thought: str, text: str) -> str:
    return f"{thought}\n\n{text}" if thought else text


def parse(
    text: str, views: Sequence[View], media: Sequence[Media], shown_sizes: Sequence[tuple[int, int]] = ()
) -> Step:
    found = last_call(text, CALL_START, CALL_END)
    if found is None:
        thought, answer = read_answer(text)
        return Step(thought, answer=answer)
    before, body, is_closed = found
    call = call_of(before.strip(), read_object(body, is_closed), body, has_text_arguments=True)
    if call.name in ZOOM_ALIASES:
        view = _view(call.arguments, views, media)
        values = four_numbers(call.arguments.get("bbox_2d"))
        if max(values) < 2:
            return Step(call.thought, ZoomIn(view.number, clamped_box(values, 1, 1)))
        if not shown_sizes:
            raise InvalidInput(f"pixels of picture {view.number} cannot be read without the size at which it was shown")
        return Step(call.thought, ZoomIn(view.number, clamped_box(values, *shown_sizes[view.number - 1])))
    if call.name == "select_frames":
        return Step(call.thought, SelectFrames(frames_of(call.arguments.get("target_frames"))))
    raise UnknownOperation(f"there is no operation {call.name!r}; use {ZOOM_NAME} or select_frames")


# --- what pictures are called ---------------------------------------------------------------------------------------


def _called(views: Sequence[View], media: Sequence[Media]) -> list[Sequence[View]]:
    """The pictures as the wire counts them, in order: an image or a crop is one, and all frames of a clip together."""
    called: list[Sequence[View]] = []
    rest = list(opening_views(views, media))
    for medium in media:
        count = 1 if medium.kind == "image" else len(first_views([medium]))
        if rest:
            called.append(rest[:count])
        rest = rest[count:]
    return called + [[view] for view in views[len(opening_views(views, media)) :]]


def _target(number: int, views: Sequence[View], media: Sequence[Media]) -> dict[str, int]:
    """The arguments that name a view; one that was never shown gets a number that no picture has."""
    called = _called(views, media)
    if not 1 <= number <= len(views):
        past = 0 if _is_clip_alone(called) else len(called) - len(views)
        return {"target_image": number + past if number > 0 else number}
    picture, frame = next(
        (k, frame) for k, group in enumerate(called, 1) for frame, view in enumerate(group, 1) if view.number == number
    )
    if len(called[picture - 1]) == 1:
        return {"target_image": picture}
    return {"target_image": frame} if _is_clip_alone(called) else {"target_image": picture, "target_frame": frame}


def _view(arguments: Mapping[str, Any], views: Sequence[View], media: Sequence[Media]) -> View:
    """The view that the arguments name. Raises UnknownView, MalformedCall."""
    number = whole_number(arguments.get("target_image"), "target_image")
    called = _called(views, media)
    if _is_clip_alone(called):
        if not 1 <= number <= len(views):
            raise UnknownView(f"there is no frame {number} of the video; its frames are numbered 1 to {len(views)}")
        return views[number - 1]
    if not 1 <= number <= len(called):
        raise UnknownView(f"there is no picture {number}; the pictures are numbered 1 to {len(called)}")
    group = called[number - 1]
    if len(group) == 1:
        return group[0]
    if "target_frame" not in arguments:
        raise UnknownView(
            f"picture {number} is the video, of {len(group)} frames: select frames of it and zoom into one of those, "
            f"numbered {number + 1} to {len(called)} so far"
        )
    frame = whole_number(arguments["target_frame"], "target_frame")
    if not 1 <= frame <= len(group):
        raise UnknownView(f"there is no frame {frame} of the video; its frames are numbered 1 to {len(group)}")
    return group[frame - 1]


def _is_clip_alone(called: Sequence[Sequence[View]]) -> bool:
    return len(called) == 1 and len(called[0]) > 1
