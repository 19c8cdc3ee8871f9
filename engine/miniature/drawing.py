"""What is drawn and asked, and where "easy" ends and "hard" begins.

The idea: difficulty is a size in pixels of the FIRST VIEW, which the embedded reasoner sees before it operates. What is asked
about is drawn either clearly above or clearly below what can be made out there, never in between, so that "hard" means: not
to be answered without an operation. In the original every one can be read by a person.

Invariant: an easy thing measures at least its EASY_PX in the first view, a hard one at most its HARD_PX
(`tests/miniature` measures both with the model's own resize rule).

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
    "COUNTED",
    "FRAME_VIEW_AREA",
    "IMAGE_VIEW_AREA",
    "OBJECT",
    "Band",
    "Difficulty",
    "Drawing",
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


OBJECT = Band(hard=(3.1, 3.9), easy=(15.5, 19.0))
"""Telling a key from a cup."""
COUNTED = Band(hard=(1.9, 2.4), easy=(10.0, 13.0))
"""Counting dots and telling them from squares."""
OBJECT_IN_CLIP = Band(hard=(3.6, 4.4), easy=(15.5, 20.0))
"""The same in a clip, whose colours are stored at half the resolution."""
CAPITAL = Band(hard=(2.3, 3.0), easy=(10.5, 14.0))
"""Reading, by the height of a capital letter."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture, or the frames of a clip, and what is asked of it. `answer` is a letter where there are `options`."""

    frames: tuple[Image.Image, ...]
    question: str
    answer: str
    options: tuple[str, ...]
    evidence: Evidence
    category: str
    difficulty: Difficulty


def choices(rng: random.Random, right: str, wrong: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The options in random order and the letter of the right one: every letter is as likely as any other."""
    options = [right, *wrong]
    if len(set(options)) != len(options):
        raise ValueError(f"options must differ, not {options}")
    rng.shuffle(options)
    return tuple(options), chr(ord("A") + options.index(right))
