"""Scenes: one picture of about 1024x768 with 3 to 8 signs, whose texts are far too small for the first view.

Invariant: `draw_scene` is pure: one (seed, split) is one picture on every machine with the same Pillow. Splits are
disjoint ranges of seeds, `heldout` is the test range drawn with families, words, photographs and patterns that
training never shows. In a scene no two signs share both colour and shape, and no two overlap.

Not covered: signs hidden in part, perspective, several signs of one name.
"""

from __future__ import annotations

import io
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter, ImageStat

from engine.lab.world import backgrounds, signs, words

__all__ = [
    "SEEDS",
    "Scene",
    "Sign",
    "check_seed",
    "compress",
    "degrade",
    "draw_scene",
    "draw_sign_size",
    "find_place",
    "seed_for",
]

SEEDS = {
    "train": range(0, 10**9),
    "validation": range(10**9, 2 * 10**9),
    "test": range(2 * 10**9, 3 * 10**9),
    "heldout": range(2 * 10**9, 3 * 10**9),
}
SMALLEST_CAPITAL = 8.0
GAP = 12


@dataclass(frozen=True, slots=True)
class Sign:
    color: str
    shape: str
    text: str
    box: signs.Box
    text_box: signs.Box
    centers: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Scene:
    picture: Image.Image
    signs: tuple[Sign, ...]
    seed: int
    split: str


def seed_for(split: str, index: int) -> int:
    """The `index`-th seed of a split."""
    return SEEDS[split][index]


def check_seed(seed: int, split: str) -> None:
    if split not in SEEDS:
        raise ValueError(f"There is no split {split!r}: choose one of {', '.join(SEEDS)}.")
    if seed not in SEEDS[split]:
        bounds = SEEDS[split]
        raise ValueError(f"Seed {seed} is not in {split}, which has {bounds.start} to {bounds.stop - 1}.")


def draw_scene(seed: int, split: str, counts: tuple[int, int] = (3, 8)) -> Scene:
    """The scene of a seed. `counts` bounds how many signs are tried; the recipe's curriculum begins with one."""
    check_seed(seed, split)
    rng = random.Random(f"scene {seed}")
    is_heldout = split == "heldout"
    size = _draw_size(rng)
    picture = backgrounds.draw_background(rng, size, is_heldout)
    placed = _place_signs(rng, picture, rng.randint(*counts), is_heldout)
    return Scene(degrade(rng, picture), placed, seed, split)


def _draw_size(rng: random.Random) -> tuple[int, int]:
    if rng.random() < 0.6:
        return 1024, 768
    width = rng.randint(900, 1280)
    return width, round(width / rng.uniform(1.2, 1.6))


def _place_signs(rng: random.Random, picture: Image.Image, count: int, is_heldout: bool) -> tuple[Sign, ...]:
    names = [(color, shape) for color in signs.COLORS for shape in signs.SHAPES]
    rng.shuffle(names)
    placed: list[Sign] = []
    for color, shape in names[:count]:
        sign = _place_sign(rng, picture, color, shape, [other.box for other in placed], is_heldout)
        if sign is not None:
            placed.append(sign)
    return tuple(placed)


def draw_sign_size(rng: random.Random, shape: str) -> tuple[int, int]:
    if shape == "board":
        width = rng.randint(60, 150)
        return width, max(34, min(110, round(width * rng.uniform(0.42, 0.8))))
    if shape == "disc":
        side = rng.randint(58, 122)
        return side, side
    width = rng.randint(84, 150)
    return width, max(60, min(130, round(width * rng.uniform(0.66, 1.0))))


def _place_sign(
    rng: random.Random, picture: Image.Image, color: str, shape: str, taken: list[signs.Box], is_heldout: bool
) -> Sign | None:
    """Paint one sign where there is room for it and its colour stands out; None where neither is found."""
    width, height = draw_sign_size(rng, shape)
    look = signs.draw_look(rng, color, is_heldout, rng.triangular(SMALLEST_CAPITAL, 21, 12.5))
    box = find_place(rng, picture, (width, height), taken, look.fill)
    if box is None:
        return None
    longest = words.LONGEST
    while longest:
        text = words.draw_text(rng, is_heldout, longest)
        font = signs.fit_font(look, shape, (width, height), text, SMALLEST_CAPITAL)
        if font is not None:
            nudge = (rng.uniform(-1.5, 1.5), rng.uniform(-2, 2))
            painted = signs.paint(picture, shape, box, look, text, font, nudge)
            return Sign(color, shape, text, box, painted.text_box, painted.centers)
        longest = len(text) - 1
    return None


def find_place(
    rng: random.Random, picture: Image.Image, size: tuple[int, int], taken: list[signs.Box], fill: signs.Rgb
) -> signs.Box | None:
    for attempt in range(24):
        left = rng.randint(6, picture.width - size[0] - 6)
        top = rng.randint(6, picture.height - size[1] - 6)
        box = (left, top, left + size[0], top + size[1])
        if any(_is_near(box, other) for other in taken):
            continue
        behind = ImageStat.Stat(picture.crop(box).reduce(8)).mean
        if attempt > 16 or sum(abs(a - b) for a, b in zip(behind, fill, strict=True)) > 110:
            return box
    return None


def _is_near(one: signs.Box, two: signs.Box) -> bool:
    return not (one[2] + GAP < two[0] or two[2] + GAP < one[0] or one[3] + GAP < two[1] or two[3] + GAP < one[1])


def degrade(rng: random.Random, picture: Image.Image, share: float = 1.0) -> Image.Image:
    """What cameras, editors and codecs do: soft focus, noise, JPEG."""
    if rng.random() < 0.12 * share:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.7)))
    if rng.random() < 0.15 * share:
        picture = _add_noise(rng, picture, rng.uniform(2, 9))
    if rng.random() < 0.4 * share:
        picture = compress(picture, rng.randint(50, 95))
    return picture


def _add_noise(rng: random.Random, picture: Image.Image, sigma: float) -> Image.Image:
    """Gaussian noise; one tile of it of at most 256x256 is repeated, which is much faster and cannot be seen."""
    side = min(256, max(picture.size))
    tile = backgrounds.numbers(rng).normal(0, sigma, (side, side, 3)).astype(np.int16)
    repeats = (-(-picture.height // side), -(-picture.width // side), 1)
    field = np.asarray(picture).astype(np.int16) + np.tile(tile, repeats)[: picture.height, : picture.width]
    return Image.fromarray(field.clip(0, 255).astype(np.uint8))


def compress(picture: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")
