"""Clips: 16 frames in which each sign shows in 1 to 4 consecutive frames, and drifts.

Invariant: as for scenes: pure in (seed, split), unique names, no overlap within a frame, and the same splits.
Frames are numbered from 1. Texts are as high as those of scenes, in frames of less than half the width, so that one
frame at its own size can be read and the small first views cannot.

Not covered: cuts, camera motion, motion blur, signs that leave the frame.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image

from engine.lab.world import backgrounds, scenes, signs, words

__all__ = ["FRAMES", "Clip", "ClipSign", "draw_clip"]

FRAMES = 16
SMALLEST_CAPITAL = 10.0
SIZES = (
    (448, 336),
    (448, 336),
    (448, 336),
    (480, 360),
    (336, 252),
    (400, 300),
    (480, 270),
    (512, 384),
    (640, 480),
    (640, 360),
)
GAP = 5


@dataclass(frozen=True, slots=True)
class ClipSign:
    """A sign of a clip: boxes, text boxes and character centres run parallel to `frames`."""

    color: str
    shape: str
    text: str
    frames: tuple[int, ...]
    boxes: tuple[signs.Box, ...]
    text_boxes: tuple[signs.Box, ...]
    centers: tuple[tuple[tuple[float, float], ...], ...]

    def on_frame(self, number: int) -> scenes.Sign:
        """The sign as it stands on one of its frames."""
        k = self.frames.index(number)
        return scenes.Sign(self.color, self.shape, self.text, self.boxes[k], self.text_boxes[k], self.centers[k])


@dataclass(frozen=True, slots=True)
class Clip:
    frames: tuple[Image.Image, ...]
    signs: tuple[ClipSign, ...]
    seed: int
    split: str

    def scene(self, number: int) -> scenes.Scene:
        """One frame, counted from 1, as a scene."""
        shown = tuple(sign.on_frame(number) for sign in self.signs if number in sign.frames)
        return scenes.Scene(self.frames[number - 1], shown, self.seed, self.split)


def draw_clip(seed: int, split: str, used: int = FRAMES) -> Clip:
    """The clip of a seed. With `used` below 16 signs crowd into the first frames (for reading)."""
    scenes.check_seed(seed, split)
    rng = random.Random(f"clip {seed}")
    is_heldout = split == "heldout"
    size = rng.choice(SIZES)
    scenery = backgrounds.draw_background(rng, size, is_heldout)
    frames = [scenery.copy() for _ in range(FRAMES)]
    names = [(color, shape) for color in signs.COLORS for shape in signs.SHAPES]
    rng.shuffle(names)
    placed: list[ClipSign] = []
    for color, shape in names[: rng.randint(3, 7)]:
        sign = _place(rng, frames[:used], color, shape, placed, is_heldout)
        if sign is not None:
            placed.append(sign)
    if rng.random() < 0.7:
        quality = rng.randint(40, 92)
        frames = [scenes.compress(frame, quality) for frame in frames[:used]] + frames[used:]
    return Clip(tuple(frames), tuple(placed), seed, split)


def _place(
    rng: random.Random, frames: list[Image.Image], color: str, shape: str, placed: list[ClipSign], is_heldout: bool
) -> ClipSign | None:
    width, height = frames[0].size
    scale = rng.uniform(0.8, 1.1) * min(1.25, width / 448)
    sides = scenes.draw_sign_size(rng, shape)
    size = min(round(sides[0] * scale), height - 12), min(round(sides[1] * scale), height - 12)
    look = signs.draw_look(rng, color, is_heldout, rng.triangular(SMALLEST_CAPITAL, 21, 14))
    longest, font, text = words.LONGEST, None, ""
    while longest and font is None:
        text = words.draw_text(rng, is_heldout, longest)
        font = signs.fit_font(look, shape, size, text, SMALLEST_CAPITAL)
        longest = len(text) - 1
    if font is None:
        return None
    for _ in range(20):
        shown = min(len(frames), rng.choices((1, 2, 3, 4), (25, 30, 25, 20))[0])
        start = rng.randint(1, len(frames) - shown + 1)
        numbers = tuple(range(start, start + shown))
        boxes = _drift(rng, size, (width, height), shown)
        if any(_meets(numbers, boxes, other) for other in placed):
            continue
        painted = [
            signs.paint(frames[number - 1], shape, box, look, text, font)
            for number, box in zip(numbers, boxes, strict=True)
        ]
        text_boxes = tuple(one.text_box for one in painted)
        return ClipSign(color, shape, text, numbers, boxes, text_boxes, tuple(one.centers for one in painted))
    return None


def _drift(rng: random.Random, size: tuple[int, int], room: tuple[int, int], count: int) -> tuple[signs.Box, ...]:
    limits = room[0] - size[0] - 4, room[1] - size[1] - 4
    x, y = rng.randint(4, max(4, limits[0])), rng.randint(4, max(4, limits[1]))
    step = rng.randint(-14, 14), rng.randint(-8, 8)
    corners = [(min(max(x + step[0] * k, 2), limits[0]), min(max(y + step[1] * k, 2), limits[1])) for k in range(count)]
    return tuple((left, top, left + size[0], top + size[1]) for left, top in corners)


def _meets(numbers: tuple[int, ...], boxes: tuple[signs.Box, ...], other: ClipSign) -> bool:
    theirs = dict(zip(other.frames, other.boxes, strict=True))
    for number, box in zip(numbers, boxes, strict=True):
        if number in theirs:
            one = theirs[number]
            apart = box[2] + GAP < one[0] or one[2] + GAP < box[0] or box[3] + GAP < one[1] or one[3] + GAP < box[1]
            if not apart:
                return True
    return False
