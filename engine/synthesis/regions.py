"""Where the operations of a trajectory look: on the cue, beside it, around it too widely; on its frames or on others.

The definitions are the paper's (section 4.1, error-induced trajectories), sharpened so that they can be tested:

    on the cue      the crop holds the whole cue
    beside it       what the crop SHOWS (a protocol's padding included) and the cue have no point in common
    too large       the crop holds the cue and is at least TOO_LARGE times its area
    other frames    none of the selected frames shows the cue

Boxes lie on a grid of hundredths, which every protocol can write. The cue is the smallest box around all evidence boxes:
a question about two things needs both.

Not covered: cutting (`engine.operations`). Pure: no pixels.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

from engine.trace import CLIP_FRAMES, MAX_SELECTED_FRAMES, Box

__all__ = [
    "TOO_LARGE",
    "box_around",
    "box_beside",
    "box_on",
    "box_within",
    "can_lie_beside",
    "can_select_others",
    "can_surround",
    "cue_of",
    "frames_on",
    "other_frames",
]

TOO_LARGE = 4.0
"""How many times the area of the cue a crop has at least that is called too large."""
MARGIN = 2
"""Hundredths of the picture that a box on a cue has around it at least."""
_LEAST_SIDE = 5
_WIDE = (35, 70)
"""Sides of a crop that is too large, in hundredths of the picture, where three times the cue's is less."""

Cells = tuple[int, int, int, int]
"""x1, y1, x2, y2 in hundredths."""


def cue_of(boxes: Sequence[Box]) -> Box:
    """The smallest box that holds all `boxes`."""
    return Box(min(b.x1 for b in boxes), min(b.y1 for b in boxes), max(b.x2 for b in boxes), max(b.y2 for b in boxes))


def box_on(cue: Box) -> Box:
    """The box to propose for a cue: a sixth of its side wider on each side, MARGIN at least, rounded outwards to hundredths,
    so that whoever imitates it may err by as much and still hold the cue. (With one hundredth, half of a small model's crops
    cut it off.)"""
    x1, y1, x2, y2 = _outwards(cue)
    across, down = (max(MARGIN, math.ceil(side / 6)) for side in (x2 - x1, y2 - y1))
    return _box((max(0, x1 - across), max(0, y1 - down), min(100, x2 + across), min(100, y2 + down)))


def box_within(cue: Box, outer: Box) -> Box:
    """The box to propose for a cue in a crop on `outer`, which must hold it: as `box_on`, in hundredths of `outer`."""
    return box_on(cue.relative_to(outer))


# --- beside ----------------------------------------------------------------------------------------------------------


def can_lie_beside(cue: Box, padding: float) -> bool:
    return bool(_bands(cue, padding))


def box_beside(cue: Box, padding: float, rng: random.Random) -> Box:
    """A box somewhere beside the cue, about as large as it; with `padding` added on each side it still shows nothing of
    the cue. Raises ValueError where there is no room (`can_lie_beside`)."""
    bands = _bands(cue, padding)
    if not bands:
        raise ValueError(f"there is no room beside the cue {cue.as_list()}")
    # By area, so that large free parts of the picture are looked at more often.
    band = rng.choices(bands, [(b[2] - b[0]) * (b[3] - b[1]) for b in bands])[0]
    cells = _outwards(cue)
    x1, x2 = _stretch(band[0], band[2], cells[2] - cells[0], rng)
    y1, y2 = _stretch(band[1], band[3], cells[3] - cells[1], rng)
    return _box((x1, y1, x2, y2))


def _bands(cue: Box, padding: float) -> list[Cells]:
    """The parts of the picture left, right, above and below the cue in which a box may lie."""
    x1, y1 = (math.floor(100 * (edge - padding) + 1e-6) for edge in (cue.x1, cue.y1))
    x2, y2 = (math.ceil(100 * (edge + padding) - 1e-6) for edge in (cue.x2, cue.y2))
    bands = [(0, 0, x1, 100), (x2, 0, 100, 100), (0, 0, 100, y1), (0, y2, 100, 100)]
    return [b for b in bands if b[2] - b[0] >= _LEAST_SIDE and b[3] - b[1] >= _LEAST_SIDE]


def _stretch(low: int, high: int, like: int, rng: random.Random) -> tuple[int, int]:
    side = min(high - low, max(_LEAST_SIDE, round(like * rng.uniform(0.8, 1.6))))
    start = rng.randint(low, high - side)
    return start, start + side


# --- around ----------------------------------------------------------------------------------------------------------


def can_surround(cue: Box, padding: float) -> bool:
    """Whether a crop can be called too large for this cue, and the crop on the cue still be smaller."""
    x1, y1, x2, y2 = _outwards(cue)
    room = 50 - math.ceil(200 * padding)
    return x2 - x1 <= room and y2 - y1 <= room


def box_around(cue: Box, rng: random.Random) -> Box:
    """A box that holds the cue and is at least TOO_LARGE times its area. Raises ValueError where the cue is too large
    for that (`can_surround`)."""
    if not can_surround(cue, 0.0):
        raise ValueError(f"the cue {cue.as_list()} is too large to be surrounded")
    x1, y1, x2, y2 = _outwards(cue)
    left, right = _surrounding(x1, x2, rng)
    top, bottom = _surrounding(y1, y2, rng)
    return _box((left, top, right, bottom))


def _surrounding(low: int, high: int, rng: random.Random) -> tuple[int, int]:
    side = min(100, max(3 * (high - low), rng.randint(*_WIDE)))
    start = rng.randint(max(0, high - side), min(low, 100 - side))
    return start, start + side


# --- frames ----------------------------------------------------------------------------------------------------------


def frames_on(frames: Sequence[int]) -> tuple[int, ...]:
    """The evidence frames in order, at most MAX_SELECTED_FRAMES of them, evenly chosen."""
    ordered = sorted(set(frames))
    most = MAX_SELECTED_FRAMES
    if len(ordered) <= most:
        return tuple(ordered)
    return tuple(ordered[round(k * (len(ordered) - 1) / (most - 1))] for k in range(most))


def can_select_others(frames: Sequence[int]) -> bool:
    return len(set(frames)) < CLIP_FRAMES


def other_frames(frames: Sequence[int], count: int, rng: random.Random) -> tuple[int, ...]:
    """`count` frames (fewer where there are no more) none of which is among `frames`, in order. Raises ValueError where
    every frame is."""
    free = [frame for frame in range(1, CLIP_FRAMES + 1) if frame not in set(frames)]
    if not free:
        raise ValueError("every frame shows the cue")
    return tuple(sorted(rng.sample(free, min(count, len(free)))))


# --- the grid --------------------------------------------------------------------------------------------------------


def _outwards(box: Box) -> Cells:
    x1, y1 = (math.floor(100 * edge + 1e-6) for edge in (box.x1, box.y1))
    x2, y2 = (math.ceil(100 * edge - 1e-6) for edge in (box.x2, box.y2))
    x1, y1 = min(x1, 99), min(y1, 99)
    return x1, y1, max(x2, x1 + 1), max(y2, y1 + 1)


def _box(cells: Cells) -> Box:
    x1, y1, x2, y2 = (cell / 100 for cell in cells)
    return Box(x1, y1, x2, y2)
