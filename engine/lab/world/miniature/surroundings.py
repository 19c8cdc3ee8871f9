"""What keeps the splits apart: seeds, photographs, faces and words; and the scenery behind everything.

Invariant: train, validation and test have disjoint ranges of seeds, disjoint families of fonts and disjoint words; test and
the others have disjoint photographs. The families and words of `test` are those that the embedded reasoner's own training
never shows (`engine.lab.world.fonts`, `engine.lab.world.words`); those of `validation` are every eighth of the rest.

Not covered: numbers and codes, which are drawn at random in every split.
"""

from __future__ import annotations

import random
from functools import lru_cache
from typing import Literal, get_args

from PIL import Image

from engine.lab.world import backgrounds, fonts, scenes, words

__all__ = ["SPLITS", "Split", "draw_code", "draw_scenery", "draw_size", "faces", "random_for", "words_of"]

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)
_EVERY = 8
_PATTERNS = ("gradient", "ramp", "noise", "grain", "stripes", "checker", "grid", "patches")
_PHOTOGRAPH_SHARE = 0.7


def random_for(benchmark: str, split: Split, seed: int) -> random.Random:
    """The source of chance for one drawing. Raises ValueError where the seed is not one of the split."""
    scenes.check_seed(seed, split)
    return random.Random(f"{benchmark} {seed}")


def draw_size(rng: random.Random) -> tuple[int, int]:
    """Width and height of a scene in pixels: about 2.4 megapixels, as V*'s are; the first view has a fortieth."""
    if rng.random() < 0.6:
        return 1800, 1350
    width = rng.randint(1650, 1950)
    return width, round(width / rng.uniform(1.25, 1.55))


def draw_scenery(rng: random.Random, size: tuple[int, int], split: Split) -> Image.Image:
    is_heldout = split == "test"
    kind = "photograph" if rng.random() < _PHOTOGRAPH_SHARE else rng.choice(_PATTERNS)
    picture = backgrounds.DRAWERS[kind](rng, size, is_heldout)
    if rng.random() < 0.5:
        backgrounds.draw_clutter(rng, picture, rng.randint(1, 8))
    return picture


@lru_cache(maxsize=3)
def faces(split: Split) -> tuple[fonts.Face, ...]:
    if split == "test":
        return fonts.faces(True)
    known = fonts.faces(False)
    held_back = set(sorted({face.family for face in known})[::_EVERY])
    return tuple(face for face in known if (face.family in held_back) == (split == "validation"))


@lru_cache(maxsize=3)
def words_of(split: Split) -> tuple[str, ...]:
    if split == "test":
        return words.HELDOUT_WORDS
    held_back = set(words.TRAIN_WORDS[::_EVERY])
    return tuple(word for word in words.TRAIN_WORDS if (word in held_back) == (split == "validation"))


def draw_code(rng: random.Random, length: int) -> str:
    """Letters and then digits, none that is mistaken for another: "KX742"."""
    letters = length // 2
    return "".join(rng.choice(words.PLATE_LETTERS) for _ in range(letters)) + "".join(
        rng.choice(words.DIGITS) for _ in range(length - letters)
    )
