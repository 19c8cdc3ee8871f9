"""One sign: its colour and shape, its look, and painting it on a picture.

Idea: a sign is a coloured board, disc or diamond with a short text on it. Everything that does not name the sign
(shade, face, size, border, shadow, tilt, blur, spacing) varies widely, so that nothing else can be learned than
what the question asks.

Invariant: the text lies inside the sign; `Painted.centers` has one point per character, in picture coordinates, and
is the label of dense reading supervision. Shades of two colour names never meet.

Not covered: lower case, punctuation, several lines, curved or perspective text.
"""

from __future__ import annotations

import colorsys
import math
import random
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from engine.lab.world import fonts

__all__ = [
    "COLORS",
    "SHADES",
    "SHAPES",
    "Box",
    "Rgb",
    "character_centers",
    "draw_ink",
    "draw_look",
    "draw_shade",
    "fit_font",
    "luminance",
    "paint",
    "set_text",
    "shape_mask",
    "text_width",
]

COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "white", "black")
SHAPES = ("board", "disc", "diamond")

# Hue in degrees (may pass 360), saturation and value: ranges in which nobody would use another of the eight names.
SHADES = {
    "red": ((352, 368), (0.72, 1.0), (0.62, 1.0)),
    "orange": ((21, 38), (0.78, 1.0), (0.86, 1.0)),
    "yellow": ((47, 62), (0.62, 1.0), (0.84, 1.0)),
    "green": ((92, 155), (0.5, 1.0), (0.38, 0.85)),
    "blue": ((205, 243), (0.6, 1.0), (0.5, 1.0)),
    "purple": ((268, 297), (0.42, 1.0), (0.45, 0.82)),
    "white": ((0, 360), (0.0, 0.045), (0.9, 1.0)),
    "black": ((0, 360), (0.0, 0.3), (0.0, 0.16)),
}

Rgb = tuple[int, int, int]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Look:
    """How a sign looks, apart from its colour name, shape and place."""

    fill: Rgb
    ink: Rgb
    face: fonts.Face
    cap_height: float
    border: Rgb | None
    border_width: int
    is_inset: bool
    shadow: int
    tilt: float
    blur: float
    spacing: float
    is_smooth: bool


@dataclass(frozen=True, slots=True)
class _Painted:
    text_box: Box
    centers: tuple[tuple[float, float], ...]


def draw_shade(rng: random.Random, color: str) -> Rgb:
    hue, saturation, value = (rng.uniform(*bounds) for bounds in SHADES[color])
    red, green, blue = colorsys.hsv_to_rgb(hue % 360 / 360, saturation, value)
    return round(red * 255), round(green * 255), round(blue * 255)


def luminance(color: Rgb) -> float:
    return 0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]


def draw_ink(rng: random.Random, fill: Rgb) -> Rgb:
    """A text colour that a person reads without effort on `fill`."""
    if rng.random() < 0.24:
        for _ in range(6):
            ink = (rng.randint(0, 255), rng.randint(0, 255), rng.randint(0, 255))
            if abs(luminance(ink) - luminance(fill)) > 105:
                return ink
    shade = rng.randint(0, 34)
    light, dark = (255 - shade,) * 3, (shade,) * 3
    brightness = luminance(fill)
    if 95 < brightness < 150:
        return rng.choice((light, dark))
    return dark if brightness >= 150 or (brightness > 120 and rng.random() < 0.8) else light


def draw_look(rng: random.Random, color: str, is_heldout: bool, cap_height: float) -> _Look:
    fill = draw_shade(rng, color)
    ink = draw_ink(rng, fill)
    has_border = rng.random() < 0.3
    neutral = (rng.randint(0, 50),) * 3 if rng.random() < 0.5 else (rng.randint(205, 255),) * 3
    return _Look(
        fill=fill,
        ink=ink,
        face=rng.choice(fonts.faces(is_heldout)),
        cap_height=cap_height,
        border=(ink if rng.random() < 0.5 else neutral) if has_border else None,
        border_width=rng.randint(1, 3),
        is_inset=rng.random() < 0.3,
        shadow=rng.randint(2, 5) if rng.random() < 0.15 else 0,
        tilt=rng.uniform(-9, 9) if rng.random() < 0.2 else 0.0,
        blur=rng.uniform(0.3, 0.75) if rng.random() < 0.2 else 0.0,
        spacing=rng.uniform(0.5, 2.5) if rng.random() < 0.15 else 0.0,
        is_smooth=rng.random() < 0.8,
    )


def _room_for_text(shape: str, width: float, height: float, text_height: float) -> float:
    """The width that a line of `text_height` may take at the sign's middle."""
    if shape == "board":
        return 0.9 * width if text_height < 0.85 * height else 0.0
    if shape == "disc":
        half = height / 2
        return 0.94 * width * math.sqrt(max(0.0, 1 - (text_height / 2 / half) ** 2)) if text_height < height else 0.0
    return 0.98 * width * max(0.0, 1 - text_height / height)


def text_width(font: ImageFont.FreeTypeFont, text: str, spacing: float) -> float:
    return sum(_advance(font, character) for character in text) + spacing * (len(text) - 1)


@lru_cache(maxsize=1 << 18)
def _advance(font: ImageFont.FreeTypeFont, character: str) -> float:
    """A character's width. Kerning, a pixel at most, is left out: measuring every prefix takes as long as drawing."""
    return font.getlength(character)


def character_centers(
    font: ImageFont.FreeTypeFont, text: str, start: float, y: float
) -> tuple[tuple[float, float], ...]:
    """The middles of the characters of a line that begins at `start`."""
    centers = []
    for character in text:
        width = _advance(font, character)
        centers.append((start + width / 2, y))
        start += width
    return tuple(centers)


def fit_font(
    look: _Look, shape: str, size: tuple[int, int], text: str, smallest: float
) -> ImageFont.FreeTypeFont | None:
    """The look's face at its height, or smaller, so that the text fits; None if it cannot at the smallest height."""
    height = look.cap_height
    while height >= smallest:
        font = fonts.load_for_height(look.face, height)
        if text_width(font, text, look.spacing) <= _room_for_text(shape, *size, height * 1.15):
            return font
        height -= 1.0
    return None


def _outline(shape: str, box: tuple[float, float, float, float], draw: ImageDraw.ImageDraw, fill: int | Rgb) -> None:
    left, top, right, bottom = box
    if shape == "board":
        draw.rectangle(box, fill=fill)
    elif shape == "disc":
        draw.ellipse(box, fill=fill)
    else:
        middle_x, middle_y = (left + right) / 2, (top + bottom) / 2
        draw.polygon([(middle_x, top), (right, middle_y), (middle_x, bottom), (left, middle_y)], fill=fill)


def shape_mask(shape: str, size: tuple[int, int], inset: float, is_smooth: bool) -> Image.Image:
    """Coverage of the shape, `inset` pixels smaller than its box."""
    scale = 3 if is_smooth and shape != "board" else 1
    width, height = size[0] * scale, size[1] * scale
    mask = Image.new("L", (width, height), 0)
    margin = inset * scale
    if width - 2 * margin > 2 and height - 2 * margin > 2:
        _outline(shape, (margin, margin, width - 1 - margin, height - 1 - margin), ImageDraw.Draw(mask), 255)
    return mask.resize(size, Image.Resampling.BOX) if scale > 1 else mask


def paint(
    picture: Image.Image,
    shape: str,
    box: Box,
    look: _Look,
    text: str,
    font: ImageFont.FreeTypeFont,
    nudge: Rgb | tuple = (0, 0),
) -> _Painted:
    """Paint one sign and say where its text and characters came to lie."""
    size = (box[2] - box[0], box[3] - box[1])
    if look.shadow:
        shadow = Image.new("RGB", size, (12, 12, 12))
        dim = shape_mask(shape, size, 0, False).point(lambda value: value // 2)
        picture.paste(shadow, (box[0] + look.shadow, box[1] + look.shadow), dim)
    sign = picture.crop(box)
    sign.paste(look.fill, (0, 0), shape_mask(shape, size, 0, look.is_smooth))
    if look.border is not None:
        start = 3 if look.is_inset else 0
        sign.paste(look.border, (0, 0), shape_mask(shape, size, start, look.is_smooth))
        sign.paste(
            look.fill,
            (0, 0),
            shape_mask(shape, size, start + look.border_width * (1 if shape == "board" else 1.4), look.is_smooth),
        )
    middle = (size[0] / 2 + nudge[0], size[1] / 2 + nudge[1])
    mask, local = set_text(size, middle, text, font, look.spacing, look.tilt)
    sign.paste(look.ink, (0, 0), mask)
    if look.blur:
        sign = sign.filter(ImageFilter.GaussianBlur(look.blur))
    picture.paste(sign, box[:2])
    left, top, right, bottom = mask.getbbox() or (0, 0, *size)
    text_box = (box[0] + left, box[1] + top, box[0] + right, box[1] + bottom)
    return _Painted(text_box, tuple((x + box[0], y + box[1]) for x, y in local))


def set_text(
    size: tuple[int, int],
    middle: tuple[float, float],
    text: str,
    font: ImageFont.FreeTypeFont,
    spacing: float = 0.0,
    tilt: float = 0.0,
) -> tuple[Image.Image, list[tuple[float, float]]]:
    """A mask of the text centred on `middle`, and each character's centre in it."""
    _, top, _, bottom = font.getbbox(text, anchor="ls")
    width = text_width(font, text, spacing)
    start, baseline = middle[0] - width / 2, middle[1] - (top + bottom) / 2
    mask = Image.new("L", size, 0)
    draw = ImageDraw.Draw(mask)
    edges = [0.0]
    for character in text:
        edges.append(edges[-1] + _advance(font, character) + spacing)
    if spacing:
        for character, edge in zip(text, edges[:-1], strict=True):
            draw.text((start + edge, baseline), character, fill=255, font=font, anchor="ls")
    else:
        draw.text((start, baseline), text, fill=255, font=font, anchor="ls")
    centers = [(start + (edges[k] + edges[k + 1] - spacing) / 2, middle[1]) for k in range(len(text))]
    if tilt:
        mask = mask.rotate(tilt, Image.Resampling.BICUBIC, center=middle)
        cosine, sine = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))
        centers = [(middle[0] + (x - middle[0]) * cosine, middle[1] - (x - middle[0]) * sine) for x, _ in centers]
    return mask, centers
