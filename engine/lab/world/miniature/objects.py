"""Small things: objects with a kind and a colour (glyphs of an open font), and plain marks to be counted.

The idea: an object is a glyph's silhouette filled with a shade of its colour, its strokes drawn on top, so that twelve kinds
can be told apart by outline and eight colours by area.

Invariant: the same (kind, shade, side, tilt) paints the same pixels. Only KINDS and MARKS are asked about; CLUTTER_KINDS never.

Shapes: a stencil is (silhouette, strokes), two "L" pictures of one size with the longer side _SIDE.
"""

from __future__ import annotations

import math
import random
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from engine.lab.world.signs import Rgb, draw_shade, luminance

__all__ = ["CLUTTER_KINDS", "KINDS", "MARKS", "paint_mark", "paint_object"]

_FONT = Path(__file__).parent / "assets" / "noto-emoji-subset-400.woff2"
_SIDE = 144
_TILTS = (-21, -14, -7, 0, 7, 14, 21)
"""Degrees. Without them a small network tells twelve kinds apart by four pixels' worth of blur."""
_GLYPHS = {
    "star": "\u2b50",
    "key": "\U0001f511",
    "cup": "\u2615",
    "car": "\U0001f697",
    "fish": "\U0001f41f",
    "tree": "\U0001f332",
    "umbrella": "\u2602",
    "bell": "\U0001f514",
    "bird": "\U0001f426",
    "boat": "\u26f5",
    "shirt": "\U0001f455",
    "moon": "\U0001f319",
    "house": "\U0001f3e0",
    "leaf": "\U0001f341",
    "mushroom": "\U0001f344",
    "anchor": "\u2693",
    "balloon": "\U0001f388",
    "scissors": "\u2702",
    "shoe": "\U0001f45f",
    "cat": "\U0001f431",
    "butterfly": "\U0001f98b",
    "rocket": "\U0001f680",
    "flower": "\U0001f337",
    "hammer": "\U0001f528",
    "trophy": "\U0001f3c6",
    "banana": "\U0001f34c",
    "cherry": "\U0001f352",
    "flag": "\U0001f6a9",
}
KINDS = tuple(_GLYPHS)[:12]
CLUTTER_KINDS = tuple(_GLYPHS)[12:]
MARKS = ("dot", "square", "triangle", "star", "cross")


def paint_object(
    rng: random.Random, picture: Image.Image, kind: str, color: str, center: tuple[float, float], side: float
) -> None:
    """Paint one object in a shade of `color`, tilted and turned round at random; its longer side is about `side` pixels."""
    silhouette, strokes = _sized(kind, max(4, round(side)), rng.choice(_TILTS), rng.random() < 0.5)
    corner = round(center[0] - silhouette.width / 2), round(center[1] - silhouette.height / 2)
    fill = draw_shade(rng, color)
    picture.paste(fill, corner, silhouette)
    picture.paste(_stroke_for(fill), corner, strokes)


def paint_mark(
    rng: random.Random, picture: Image.Image, mark: str, color: str, center: tuple[float, float], side: float
) -> None:
    """Paint one mark in a shade of `color`, without strokes."""
    stencil = _sized_mark(mark, max(4, round(side)))
    corner = round(center[0] - stencil.width / 2), round(center[1] - stencil.height / 2)
    picture.paste(draw_shade(rng, color), corner, stencil)


def _stroke_for(fill: Rgb) -> Rgb:
    return (25, 25, 25) if luminance(fill) > 70 else (225, 225, 225)


@lru_cache(maxsize=8192)
def _sized(kind: str, side: int, tilt: int, is_mirrored: bool) -> tuple[Image.Image, Image.Image]:
    silhouette, strokes = (
        (ImageOps.mirror(one) if is_mirrored else one).rotate(tilt, Image.Resampling.BILINEAR, expand=True)
        for one in _stencil(kind)
    )
    box = silhouette.getbbox()
    silhouette, strokes = silhouette.crop(box), strokes.crop(box)
    scale = side / max(silhouette.size)
    size = max(1, round(silhouette.width * scale)), max(1, round(silhouette.height * scale))
    return silhouette.resize(size, Image.Resampling.BOX), strokes.resize(size, Image.Resampling.BOX)


@lru_cache(maxsize=64)
def _stencil(kind: str) -> tuple[Image.Image, Image.Image]:
    font = ImageFont.truetype(str(_FONT), _SIDE, layout_engine=ImageFont.Layout.BASIC)
    strokes = Image.new("L", (round(_SIDE * 1.5), round(_SIDE * 1.5)), 0)
    ImageDraw.Draw(strokes).text((_SIDE // 8, _SIDE // 8), _GLYPHS[kind], fill=255, font=font)
    silhouette = Image.fromarray(np.where(_outside(np.asarray(strokes) <= 96), 0, 255).astype(np.uint8))
    box = silhouette.getbbox()
    assert box is not None
    scale = _SIDE / max(box[2] - box[0], box[3] - box[1])
    size = round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale)
    return silhouette.crop(box).resize(size), strokes.crop(box).resize(size)


def _outside(is_free: np.ndarray) -> np.ndarray:
    """Which free pixels are joined to the upper left corner, by sides. Pillow's flood fill takes a second a glyph."""
    reached = np.zeros_like(is_free)
    reached[0, 0] = True
    while True:
        grown = reached.copy()
        grown[1:] |= reached[:-1]
        grown[:-1] |= reached[1:]
        grown[:, 1:] |= reached[:, :-1]
        grown[:, :-1] |= reached[:, 1:]
        grown &= is_free
        if (grown == reached).all():
            return reached
        reached = grown


@lru_cache(maxsize=1024)
def _sized_mark(mark: str, side: int) -> Image.Image:
    large = side * 4
    stencil = Image.new("L", (large, large), 0)
    draw = ImageDraw.Draw(stencil)
    if mark == "dot":
        draw.ellipse((0, 0, large - 1, large - 1), fill=255)
    elif mark == "square":
        margin = large * 0.06
        draw.rectangle((margin, margin, large - 1 - margin, large - 1 - margin), fill=255)
    elif mark == "triangle":
        draw.polygon([(large / 2, 0), (large - 1, large - 1), (0, large - 1)], fill=255)
    elif mark == "cross":
        low, high = large * 0.32, large * 0.68
        draw.rectangle((low, 0, high, large - 1), fill=255)
        draw.rectangle((0, low, large - 1, high), fill=255)
    else:
        points = []
        for k in range(10):
            radius = large / 2 * (1.05 if k % 2 == 0 else 0.45)
            angle = -math.pi / 2 + k * math.pi / 5
            points.append((large / 2 + radius * math.cos(angle), large * 0.54 + radius * math.sin(angle)))
        draw.polygon(points, fill=255)
    return stencil.resize((side, side), Image.Resampling.BOX)
