"""What is drawn and asked, and where "easy" ends and "hard" begins.

The idea: difficulty is a size in pixels of the FIRST VIEW, which the embedded reasoner sees before it operates. What is asked
about is drawn either clearly above or clearly below what can be made out there, never in between, so that "hard" means: not
to be answered without an operation. In the original every one can be read by a person.

Invariant: an easy thing measures at least its EASY_PX in the first view, a hard one at most its HARD_PX
(`tests/lab/world` measures both with the model's own resize rule).

How easy: a token of the first view is 28 pixels wide, and what is easy has about a token of its own. How hard: even a network
that is told the place cannot name most hard things from the first view. Clips are less hard, since a selected frame has only
five times the side of its first view, and what is smaller cannot be made out there either.
`engine/embedded/weights/NOTES.md` has the measurements behind the limits.

Not covered: models with larger budgets, for which everything here is easy.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from engine.trace import Evidence

__all__ = [
    "CAPITAL",
    "CAPITAL_IN_CLIP",
    "COUNTED",
    "COUNTED_IN_CLIP",
    "FRAME_VIEW_AREA",
    "IMAGE_VIEW_AREA",
    "OBJECT",
    "OBJECT_IN_CLIP",
    "Asked",
    "Band",
    "Difficulty",
    "Drawing",
    "Line",
    "PixelBox",
    "Thing",
    "choices",
]

Difficulty = Literal["easy", "hard"]

IMAGE_VIEW_AREA = 70 * 28 * 28
"""Pixels of a picture's first view: 60 to 80 tokens of 28x28."""
FRAME_VIEW_AREA = 16 * 28 * 28
"""Pixels of a clip frame's first view: 12 to 20 tokens of 28x28."""


@dataclass(frozen=True, slots=True)
class Band:
    """Sides in pixels of the first view: `hard` and `easy` are (least, most)."""

    hard: tuple[float, float]
    easy: tuple[float, float]

    def draw_side(self, rng: random.Random, difficulty: Difficulty, size: tuple[int, int], view_area: int) -> float:
        """A side in pixels of the original of `size` (width, height), whose first view has `view_area` pixels."""
        scale = math.sqrt(view_area / (size[0] * size[1]))
        return rng.uniform(*(self.hard if difficulty == "hard" else self.easy)) / scale


OBJECT = Band(hard=(2.1, 2.6), easy=(24.0, 29.0))
"""Telling a key from a cup."""
OBJECT_IN_CLIP = Band(hard=(3.1, 3.7), easy=(18.5, 22.5))
"""The same in a clip, whose colours are stored at half the resolution."""
COUNTED = Band(hard=(1.6, 2.0), easy=(16.5, 19.5))
"""Counting dots and telling them from squares."""
COUNTED_IN_CLIP = Band(hard=(2.3, 2.7), easy=(14.0, 17.0))
"""The same in a clip."""
CAPITAL = Band(hard=(2.3, 3.0), easy=(14.5, 18.0))
"""Reading, by the height of a capital letter."""
CAPITAL_IN_CLIP = Band(hard=(3.3, 3.9), easy=(14.5, 18.0))
"""The same in a clip: a selected frame must give each letter a patch of its own."""


PixelBox = tuple[int, int, int, int]
Role = Literal["tray", "object", "mark", "panel", "bar", "board"]


@dataclass(frozen=True, slots=True)
class Thing:
    """What was painted where. `box` is (left, top, right, bottom) in pixels of the `frames` (numbered from 1) that show it;
    `on` names the tray that carries it, and `cell` is its column and row there."""

    role: Role
    kind: str
    color: str
    box: tuple[float, float, float, float]
    frames: tuple[int, ...] = (1,)
    on: str = ""
    cell: tuple[int, int] = (0, 0)

    @property
    def center(self) -> tuple[float, float]:
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2

    @property
    def side(self) -> float:
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @classmethod
    def around(
        cls,
        role: Role,
        kind: str,
        color: str,
        center: tuple[float, float],
        side: float,
        frames: tuple[int, ...] = (1,),
        on: str = "",
        cell: tuple[int, int] = (0, 0),
    ) -> Thing:
        (x, y), half = center, side / 2
        return cls(role, kind, color, (x - half, y - half, x + half, y + half), frames, on, cell)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of writing: where each of its characters has its middle, and the height of its capitals, in pixels."""

    text: str
    centers: tuple[tuple[float, float], ...]
    capital: float
    frames: tuple[int, ...] = (1,)


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that a part of a poster can answer; `box` in pixels."""

    question: str
    answer: str
    box: PixelBox
    category: str
    difficulty: Difficulty


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture, or the frames of a clip, and what is asked of it. `answer` is a letter where there are `options`.

    What only training looks at: all `things` and `lines` (the question is about one of them), and on a poster all that
    could have been `asked` instead.
    """

    frames: tuple[Image.Image, ...]
    question: str
    answer: str
    options: tuple[str, ...]
    evidence: Evidence
    category: str
    difficulty: Difficulty
    things: tuple[Thing, ...] = ()
    lines: tuple[Line, ...] = ()
    asked: tuple[Asked, ...] = ()


def choices(rng: random.Random, right: str, wrong: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The options in random order and the letter of the right one: every letter is as likely as any other."""
    options = [right, *wrong]
    if len(set(options)) != len(options):
        raise ValueError(f"options must differ, not {options}")
    rng.shuffle(options)
    return tuple(options), chr(ord("A") + options.index(right))
