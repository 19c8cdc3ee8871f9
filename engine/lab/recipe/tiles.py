"""Text tiles: small pictures full of labelled characters, for the dense pre-training of the vision tower.

Idea: a tile of 64 patches holds about 20 labelled characters, a trace about 5 in 300 patches and some hundred
tokens of text. What a tower must know to read (many faces, sizes, inks, blur, what stretching a small crop does to
it) is learned here far cheaper.

Invariant: texts are set small and stretched, as a crop's are; a character that the tile's edge cuts is not
labelled.
"""

from __future__ import annotations

import math
import random

from PIL import Image, ImageDraw, ImageFilter

from engine.lab.recipe import views
from engine.lab.world import backgrounds, fonts, scenes, signs, words

__all__ = ["draw_strip", "draw_tile"]

SIDE = 112


def draw_tile(rng: random.Random) -> views.LabelledPicture:
    final = 10.5 * (38.0 / 10.5) ** rng.random()
    cap_height = min(rng.uniform(8, 20), final)
    stretch = final / cap_height
    side = max(16, round(SIDE / stretch))
    stretch = SIDE / side
    fill = signs.draw_shade(rng, rng.choice(signs.COLORS)) if rng.random() < 0.7 else backgrounds.draw_tone(rng)
    picture = Image.new("RGB", (side, side), fill)
    if rng.random() < 0.25:
        _draw_edges(rng, picture)
    placed = _fill_with_text(rng, picture, fill, cap_height)
    blur = rng.random()
    if blur < 0.22:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8)))
    picture = scenes.degrade(rng, picture, 0.7)
    picture = picture.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    margin = 0.25 * final
    inside = [
        (character, ((x * stretch) / SIDE, (y * stretch) / SIDE))
        for character, (x, y) in placed
        if margin < x * stretch < SIDE - margin and margin < y * stretch < SIDE - margin
    ]
    return views.label_characters(views.view_of(picture), ((character, (center,)) for character, center in inside))


def draw_strip(rng: random.Random) -> tuple[views.LabelledPicture, tuple[int, int], str, list[views.Point]]:
    """One text in a picture just big enough for it, its size before stretching, and its characters' centres in shares."""
    final = 11.0 * (34.0 / 11.0) ** rng.random()
    cap_height = min(rng.uniform(8, 20), final)
    face, text = rng.choice(fonts.faces(False)), words.draw_text(rng)
    font = fonts.load_for_height(face, cap_height)
    stretch = final / cap_height
    room = signs.text_width(font, text, 0) * stretch + rng.uniform(0.3, 2.2) * final
    shown = tuple(28 * max(1, min(14, math.ceil(side / 28))) for side in (room, final * rng.uniform(1.3, 2.4)))
    size = tuple(max(8, round(side / stretch)) for side in shown)
    fill = signs.draw_shade(rng, rng.choice(signs.COLORS)) if rng.random() < 0.7 else backgrounds.draw_tone(rng)
    picture = Image.new("RGB", size, fill)
    slack = max(0.0, size[0] - signs.text_width(font, text, 0)) / 2, max(0.0, size[1] - cap_height) / 2
    middle = size[0] / 2 + rng.uniform(-0.8, 0.8) * slack[0], size[1] / 2 + rng.uniform(-0.7, 0.7) * slack[1]
    mask, centers = signs.set_text(size, middle, text, font)
    picture.paste(signs.draw_ink(rng, fill), (0, 0), mask)
    if rng.random() < 0.22:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.8)))
    picture = scenes.degrade(rng, picture, 0.7).resize(shown, Image.Resampling.BICUBIC)
    points = [(x / size[0], y / size[1]) for x, y in centers]
    view = views.label_orders(views.view_of(picture), [points])
    return views.label_characters(view, [(text, points)]), size, text, points


def _draw_edges(rng: random.Random, picture: Image.Image) -> None:
    """Borders and the surroundings of a sign, so that they are not taken for strokes."""
    draw = ImageDraw.Draw(picture)
    side = picture.width
    at = rng.uniform(0.02, 0.3) * side
    color = backgrounds.draw_tone(rng)
    kind = rng.randrange(3)
    if kind == 0:
        draw.rectangle([0, 0, side, at], fill=color)
    elif kind == 1:
        draw.rectangle([0, 0, at, side], fill=color)
    else:
        draw.line([at, 0, at + rng.uniform(-20, 20), side], fill=color, width=rng.randint(1, 3))


def _fill_with_text(
    rng: random.Random, picture: Image.Image, fill: signs.Rgb, cap_height: float
) -> list[tuple[str, tuple[float, float]]]:
    side = picture.width
    tilt = rng.uniform(-9, 9) if rng.random() < 0.15 else 0.0
    placed: list[tuple[str, tuple[float, float]]] = []
    top = rng.uniform(-0.4, 0.5) * cap_height
    while top < side:
        face = rng.choice(fonts.faces(False))
        font = fonts.load_for_height(face, cap_height * rng.uniform(0.9, 1.1))
        ink = signs.draw_ink(rng, fill)
        spacing = rng.uniform(0.5, 2.5) if rng.random() < 0.15 else 0.0
        line, width = "", rng.uniform(-0.5, 0.6) * cap_height
        start = width
        while width < side and len(line) < 40:
            piece = words.draw_text(rng) if rng.random() < 0.5 else _balanced(rng)
            line += piece + " "
            width = start + signs.text_width(font, line, spacing)
        middle = (start + signs.text_width(font, line, spacing) / 2, top + cap_height / 2)
        mask, centers = signs.set_text((side, side), middle, line, font, spacing, 0.0)
        if tilt:
            mask, centers = signs.set_text((side, side), (side / 2, middle[1]), line, font, spacing, tilt)
        picture.paste(ink, (0, 0), mask)
        placed += [pair for pair in zip(line, centers, strict=True) if pair[0] != " "]
        top += cap_height * rng.uniform(1.35, 2.2)
    return placed


def _balanced(rng: random.Random) -> str:
    """Every character as often as any other."""
    return "".join(rng.choice(words.CHARACTERS) for _ in range(rng.randint(1, 6)))
