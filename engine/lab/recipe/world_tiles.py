"""Tiles of small things: pictures of a few tokens, full of labelled objects and marks, for the vision tower alone.

Idea: as tiles of text are for reading (`tiles`). A tray's crop shows four objects, or ten marks, in 300 patches; a tile
shows as many in 64.

Invariant: everything is painted by the painters of the miniature benchmarks, in training looks; a thing that the tile's
edge cuts is not labelled.
"""

from __future__ import annotations

import random

from PIL import Image

from engine.lab.recipe import views
from engine.lab.world import backgrounds, scenes, signs
from engine.lab.world.miniature.objects import KINDS, MARKS, paint_mark, paint_object

__all__ = ["draw_tile"]

SIDE = 112
_PITCH = 1.3
"""As on a tray."""
_CUT = 0.02
"""How much of the tile's side a thing may be cut and still be told."""


def draw_tile(rng: random.Random) -> views.LabelledPicture:
    """Things on a grid, each in a cell of its own; stretched, as a crop's are."""
    is_marks = rng.random() < 0.5
    role = "mark" if is_marks else "object"
    final = rng.uniform(9, 30) if is_marks else rng.uniform(13, 46)
    drawn = min(final, rng.uniform(9, 26) if is_marks else rng.uniform(14, 40))
    side = max(24, round(SIDE * drawn / final))
    fill = signs.draw_shade(rng, rng.choice(signs.COLORS)) if rng.random() < 0.85 else backgrounds.draw_tone(rng)
    picture = Image.new("RGB", (side, side), fill)
    pitch = drawn * _PITCH
    shift = rng.uniform(-0.5, 0.5) * pitch, rng.uniform(-0.5, 0.5) * pitch
    count = int(side / pitch) + 2
    placed = []
    for column in range(count):
        for row in range(count):
            x, y = shift[0] + column * pitch, shift[1] + row * pitch
            color = rng.choice(signs.COLORS)
            if rng.random() < 0.2 or not _stands_out(signs.draw_shade(rng, color), fill):
                continue
            if is_marks:
                nudge = drawn * 0.1
                x, y = x + rng.uniform(-nudge, nudge), y + rng.uniform(-nudge, nudge)
                kind = rng.choice(MARKS)
                paint_mark(rng, picture, kind, color, (x, y), drawn)
            else:
                kind = rng.choice(KINDS)
                paint_object(rng, picture, kind, color, (x, y), drawn)
            half = drawn / 2
            placed.append((kind, color, ((x - half) / side, (y - half) / side, (x + half) / side, (y + half) / side)))
    picture = scenes.degrade(rng, picture, 0.6).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return views.label_things(
        views.view_of(picture), ((role, *one, all(-_CUT < edge < 1 + _CUT for edge in one[2])) for one in placed)
    )


def _stands_out(one: signs.Rgb, two: signs.Rgb) -> bool:
    return sum(abs(a - b) for a, b in zip(one, two, strict=True)) > 110
