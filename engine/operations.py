"""Executing operations: what the model asks to see becomes new views, and views become pixels.

Invariants: a view is cut from the ORIGINAL's pixels at full resolution, however deeply crops nest, because `execute`
flattens every box into the original's coordinates; new views are numbered on from the views shown so far; everything
that a model can get wrong is a ModelMistake whose message it can read and mend; nothing is changed in place.

Not covered: what operations are called on the wire and how pictures are resized for a model (`engine.protocols`,
`engine.policies`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from engine.errors import InvalidBox, InvalidFrames, NotFound, UnknownOperation, UnknownView
from engine.media import LoadedMedia, Pictures
from engine.trace import MAX_SELECTED_FRAMES, Box, Operation, SelectFrames, View, ZoomIn

__all__ = ["CropRule", "cut", "execute"]


@dataclass(frozen=True, slots=True)
class CropRule:
    """How a protocol cuts. `padding` is added on each side, as a share of the view that is zoomed into, and stops at
    the view's edges. A crop with a side below `min_side_px` pixels, or with a longer side of more than `max_aspect_ratio`
    times the shorter, is refused: the Qwen-VL picture processors raise beyond 200. The pixels are the original's, or those
    of the view enlarged to an area of `least_view_px`, where it is smaller: what a family measured on pictures as it shows
    them. So a crop can be made again by whoever does not know the budget that it was shown at."""

    padding: float = 0.0
    min_side_px: int = 1
    max_aspect_ratio: float = 200.0
    least_view_px: int = 1


def cut(view: View, pictures: Pictures) -> Image.Image:
    """The view's pixels, cut from the original at full resolution; a full box gives the whole picture, which is shared.
    Raises NotFound where the media or frame is not there."""
    return _loaded(view, pictures).crop(view.frame, view.box)


def execute(operation: Operation, views: Sequence[View], pictures: Pictures, rule: CropRule) -> tuple[View, ...]:
    """The views that an operation adds to `views`, the views shown so far. Raises a ModelMistake: UnknownView,
    InvalidBox, InvalidFrames or UnknownOperation."""
    if isinstance(operation, ZoomIn):
        return (_zoom_in(operation, views, pictures, rule),)
    if isinstance(operation, SelectFrames):
        return _select_frames(operation, views, pictures)
    raise UnknownOperation(
        f"{type(operation).__name__} is no operation; a region can be zoomed into, frames be selected"
    )


def _zoom_in(operation: ZoomIn, views: Sequence[View], pictures: Pictures, rule: CropRule) -> View:
    outer = next((view for view in views if view.number == operation.view and not _is_odd(operation.view)), None)
    if outer is None:
        shown = f"pictures 1 to {len(views)} have been shown" if views else "no picture has been shown"
        raise UnknownView(f"there is no picture {operation.view!r}: {shown}")
    asked = operation.box
    padded = Box(
        max(0.0, asked.x1 - rule.padding),
        max(0.0, asked.y1 - rule.padding),
        min(1.0, asked.x2 + rule.padding),
        min(1.0, asked.y2 + rule.padding),
    )
    box = padded.within(outer.box)
    original = _loaded(outer, pictures).picture(outer.frame).size
    width, height = _sides(box, original)
    least = math.ceil(rule.min_side_px / _enlargement(_sides(outer.box, original), rule))
    if min(width, height) < least:
        raise InvalidBox(
            f"the region is only {width}x{height} pixels of the original: at least {least} a side are needed, choose a "
            "larger box"
        )
    if max(width, height) > rule.max_aspect_ratio * min(width, height):
        raise InvalidBox(
            f"the region of {width}x{height} pixels is too thin: its longer side may be at most "
            f"{rule.max_aspect_ratio:g} times the shorter one, choose a less narrow box"
        )
    return View(len(views) + 1, outer.sha256, outer.frame, box)


def _sides(box: Box, size: tuple[int, int]) -> tuple[int, int]:
    left, top, right, bottom = box.to_pixels(size)
    return right - left, bottom - top


def _enlargement(view: tuple[int, int], rule: CropRule) -> float:
    """How many pixels a side of the view is given for one of its own, from 1."""
    return max(1.0, math.sqrt(rule.least_view_px / (view[0] * view[1])))


def _select_frames(operation: SelectFrames, views: Sequence[View], pictures: Pictures) -> tuple[View, ...]:
    """Frames of the first video among the views, in the order asked for, each once."""
    clip = next((view for view in views if view.frame is not None), None)
    if clip is None:
        raise InvalidFrames("there is no video to select frames from, only images")
    count = len(_loaded(clip, pictures).frames)
    if odd := [frame for frame in operation.frames if _is_odd(frame) or not 1 <= frame <= count]:
        raise InvalidFrames(f"there is no frame {odd[0]!r}: the video has frames 1 to {count}")
    frames = tuple(dict.fromkeys(operation.frames))
    if not frames:
        raise InvalidFrames(f"no frames were named: name 1 to {MAX_SELECTED_FRAMES} of the frames 1 to {count}")
    if len(frames) > MAX_SELECTED_FRAMES:
        raise InvalidFrames(f"{len(frames)} frames were named: at most {MAX_SELECTED_FRAMES} can be selected at once")
    return tuple(View(len(views) + k, clip.sha256, frame, Box.full()) for k, frame in enumerate(frames, 1))


def _is_odd(number: object) -> bool:
    """Whether something that arrived as JSON is no whole number; True equals 1 in Python, and 2.0 equals 2."""
    return isinstance(number, bool) or not isinstance(number, int)


def _loaded(view: View, pictures: Pictures) -> LoadedMedia:
    try:
        return pictures[view.sha256]
    except KeyError:
        raise NotFound(f"The media {view.sha256!r} of picture {view.number} is not loaded.") from None
