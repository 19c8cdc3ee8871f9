"""What lies behind the signs: gradients, noise, patterns, photographs, and clutter that is never a sign look-alike.

Idea: the wider the backgrounds, the less a scene drawn by another program surprises the model. Kinds and
photographs are split: `TRAIN_KINDS` and the training photographs are seen in training, `HELDOUT_KINDS` and eight
photographs only in the held-out split.

Invariant: a picture of the size asked for, pure in (rng, size). Saturated clutter is thin, huge, outlined or
three-cornered; only greys may take a sign's shape and size.
"""

from __future__ import annotations

import colorsys
import random
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageOps

from engine.lab.world import fonts

__all__ = [
    "DRAWERS",
    "HELDOUT_KINDS",
    "TRAIN_KINDS",
    "draw_background",
    "draw_clutter",
    "draw_tone",
    "numbers",
    "photographs",
]

TRAIN_KINDS = ("gradient", "ramp", "flat", "noise", "grain", "stripes", "checker", "grid", "patches", "photograph")
TRAIN_WEIGHTS = (20, 8, 8, 8, 6, 6, 5, 5, 6, 32)
HELDOUT_KINDS = ("dots", "bricks", "waves", "photograph")
HELDOUT_WEIGHTS = (15, 15, 15, 55)

Size = tuple[int, int]


@lru_cache(maxsize=2)
def photographs(is_heldout: bool) -> tuple[str, ...]:
    split = "heldout" if is_heldout else "train"
    return tuple(row["file"] for row in fonts.catalogue()["photographs"] if row["split"] == split)


@lru_cache(maxsize=64)
def _load_photograph(file: str) -> Image.Image:
    return Image.open(fonts.ASSETS / "photographs" / file).convert("RGB")


def draw_background(rng: random.Random, size: Size, is_heldout: bool = False) -> Image.Image:
    kinds, weights = (HELDOUT_KINDS, HELDOUT_WEIGHTS) if is_heldout else (TRAIN_KINDS, TRAIN_WEIGHTS)
    kind = rng.choices(kinds, weights)[0]
    picture = DRAWERS[kind](rng, size, is_heldout)
    if rng.random() < 0.75:
        draw_clutter(rng, picture, rng.randint(1, 16))
    return picture


def draw_tone(rng: random.Random) -> tuple[int, int, int]:
    """A colour of any hue, mostly muted."""
    saturation = rng.choices((rng.uniform(0, 0.25), rng.uniform(0.2, 0.6), rng.uniform(0.5, 1.0)), (55, 30, 15))[0]
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), saturation, rng.uniform(0.2, 0.98))
    return round(red * 255), round(green * 255), round(blue * 255)


def _draw_grey(rng: random.Random) -> tuple[int, int, int]:
    level = rng.randint(85, 190)
    return level + rng.randint(-12, 12), level + rng.randint(-12, 12), level + rng.randint(-12, 12)


def numbers(rng: random.Random) -> np.random.RandomState:
    return np.random.RandomState(rng.getrandbits(31))


def _gradient(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    cells = rng.choice(((4, 3), (6, 5), (8, 6), (12, 9)))
    generator = numbers(rng)
    base = (
        generator.randint(40, 225, (cells[1], cells[0], 1))
        if rng.random() < 0.5
        else np.full((1, 1, 1), rng.randint(60, 200))
    )
    spread = rng.choice((15, 25, 50))
    field = base + generator.randint(-spread, spread + 1, (cells[1], cells[0], 3))
    return Image.fromarray(field.clip(0, 255).astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)


def _ramp(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    ends = [draw_tone(rng), draw_tone(rng)]
    strip = Image.new("RGB", (2, 1) if rng.random() < 0.5 else (1, 2))
    strip.putdata(ends)
    return strip.resize(size, Image.Resampling.BILINEAR)


def _flat(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    return Image.new("RGB", size, draw_tone(rng))


def _noise(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    cell = rng.choice((4, 8, 16, 32, 64))
    cells = (max(2, size[0] // cell), max(2, size[1] // cell))
    tone, spread = np.array(draw_tone(rng)), rng.choice((15, 30, 60))
    depth = rng.choice((1, 3))
    field = tone + numbers(rng).randint(-spread, spread + 1, (cells[1], cells[0], depth))
    filter_ = rng.choice((Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC))
    return Image.fromarray(field.clip(0, 255).astype(np.uint8)).resize(size, filter_)


def _grain(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    spread = rng.randint(8, 45)
    field = np.array(draw_tone(rng)) + numbers(rng).randint(-spread, spread + 1, (192, 256, 1))
    tile = Image.fromarray(field.clip(0, 255).astype(np.uint8))
    return _tiled(tile, size)


def _stripes(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    colors = [draw_tone(rng) for _ in range(rng.randint(2, 4))]
    period = rng.randint(6, 90)
    strip = Image.new("RGB", (len(colors), 1))
    strip.putdata(colors)
    strip = strip.resize((period * len(colors), 1), Image.Resampling.NEAREST)
    slope = rng.choice((0.0, rng.uniform(-1, 1)))
    long = (size[0] + size[1], size[1])
    picture = _tiled(strip, long)
    if slope:
        picture = picture.transform(long, Image.Transform.AFFINE, (1, slope, size[1] / 2 if slope < 0 else 0, 0, 1, 0))
    picture = picture.crop((0, 0, *size))
    return picture if rng.random() < 0.6 else ImageOps.fit(picture.transpose(Image.Transpose.ROTATE_90), size)


def _checker(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    one, two = draw_tone(rng), draw_tone(rng)
    tile = Image.new("RGB", (2, 2))
    tile.putdata([one, two, two, one])
    cell = rng.randint(8, 60)
    return _tiled(tile.resize((2 * cell, 2 * cell), Image.Resampling.NEAREST), size)


def _grid(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    cell = rng.randint(12, 110)
    tile = Image.new("RGB", (cell, cell), draw_tone(rng))
    ImageDraw.Draw(tile).line([(0, cell), (0, 0), (cell, 0)], fill=draw_tone(rng), width=rng.randint(1, 5))
    return _tiled(tile, size)


def _patches(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    """Large areas of plain colour, far bigger than any sign."""
    picture = Image.new("RGB", size, draw_tone(rng))
    draw = ImageDraw.Draw(picture)
    for _ in range(rng.randint(2, 6)):
        left, top = rng.randint(-200, size[0] - 150), rng.randint(-200, size[1] - 150)
        draw.rectangle([left, top, left + rng.randint(260, 700), top + rng.randint(220, 600)], fill=draw_tone(rng))
    return picture


def _photograph(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    picture = _load_photograph(rng.choice(photographs(is_heldout)))
    share = rng.uniform(0.45, 1.0)
    width, height = round(picture.width * share), round(picture.height * share)
    left, top = rng.randint(0, picture.width - width), rng.randint(0, picture.height - height)
    picture = picture.resize(size, Image.Resampling.BILINEAR, box=(left, top, left + width, top + height))
    if rng.random() < 0.5:
        picture = ImageOps.mirror(picture)
    if rng.random() < 0.3:
        picture = ImageEnhance.Brightness(picture).enhance(rng.uniform(0.6, 1.3))
    if rng.random() < 0.2:
        picture = ImageEnhance.Color(picture).enhance(rng.uniform(0.2, 1.2))
    return picture


def _dots(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    cell = rng.randint(14, 50)
    tile = Image.new("RGB", (cell, cell), draw_tone(rng))
    radius = rng.uniform(0.15, 0.35) * cell
    ImageDraw.Draw(tile).ellipse(
        [cell / 2 - radius, cell / 2 - radius, cell / 2 + radius, cell / 2 + radius], fill=draw_tone(rng)
    )
    return _tiled(tile, size)


def _bricks(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    width, height = rng.randint(50, 130), rng.randint(18, 44)
    mortar, brick = draw_tone(rng), draw_tone(rng)
    tile = Image.new("RGB", (width, 2 * height), mortar)
    draw = ImageDraw.Draw(tile)
    draw.rectangle([2, 2, width - 3, height - 3], fill=brick)
    draw.rectangle([0, height + 2, width // 2 - 3, 2 * height - 3], fill=brick)
    draw.rectangle([width // 2 + 2, height + 2, width, 2 * height - 3], fill=brick)
    return _tiled(tile, size)


def _waves(rng: random.Random, size: Size, is_heldout: bool) -> Image.Image:
    rows, columns = np.mgrid[0 : size[1] : 4, 0 : size[0] : 4]
    phase = rows * rng.uniform(0.005, 0.05) + 2 * np.sin(columns * rng.uniform(0.005, 0.04) + rng.uniform(0, 6))
    share = (np.sin(phase)[..., None] + 1) / 2
    field = np.array(draw_tone(rng)) * share + np.array(draw_tone(rng)) * (1 - share)
    return Image.fromarray(field.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)


def _tiled(tile: Image.Image, size: Size) -> Image.Image:
    field = np.asarray(tile)
    repeats = (-(-size[1] // tile.height), -(-size[0] // tile.width), 1)
    return Image.fromarray(np.tile(field, repeats)[: size[1], : size[0]])


def draw_clutter(rng: random.Random, picture: Image.Image, count: int) -> None:
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    for _ in range(count):
        x, y = rng.randint(-20, width), rng.randint(-20, height)
        kind = rng.randrange(7)
        if kind == 0:
            draw.line(
                [x, y, rng.randint(0, width), rng.randint(0, height)], fill=draw_tone(rng), width=rng.randint(1, 9)
            )
        elif kind == 1:
            draw.rectangle([x, y, x + rng.randint(20, 220), y + rng.randint(20, 180)], fill=_draw_grey(rng))
        elif kind == 2:
            draw.ellipse([x, y, x + rng.randint(20, 200), y + rng.randint(20, 160)], fill=_draw_grey(rng))
        elif kind == 3:
            box = [x, y, x + rng.randint(40, 260), y + rng.randint(40, 220)]
            outline = draw.rectangle if rng.random() < 0.5 else draw.ellipse
            outline(box, outline=draw_tone(rng), width=rng.randint(1, 6))
        elif kind == 4:
            corners = [(x + rng.randint(-90, 90), y + rng.randint(-90, 90)) for _ in range(3)]
            draw.polygon(corners, fill=draw_tone(rng))
        elif kind == 5:
            long, thin = rng.randint(80, 500), rng.randint(4, 18)
            size = (long, thin) if rng.random() < 0.5 else (thin, long)
            draw.rectangle([x, y, x + size[0], y + size[1]], fill=draw_tone(rng))
        else:
            side = rng.randint(2, 16)
            draw.ellipse([x, y, x + side, y + side], fill=draw_tone(rng))


DRAWERS = {
    "gradient": _gradient,
    "ramp": _ramp,
    "flat": _flat,
    "noise": _noise,
    "grain": _grain,
    "stripes": _stripes,
    "checker": _checker,
    "grid": _grid,
    "patches": _patches,
    "photograph": _photograph,
    "dots": _dots,
    "bricks": _bricks,
    "waves": _waves,
}
