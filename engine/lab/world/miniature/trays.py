"""Trays: coloured boards and discs that carry small things on a grid, named by colour and shape.

The idea: a question names the tray, which even the first view shows, and asks about what lies on it, which the first view
may not show. So a look closer pays, and where to look can be learned.

Invariant: no two trays of a picture share colour and shape; things lie within their tray, one a cell, in a colour that stands
out on it; trays do not overlap.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from engine.lab.world import signs
from engine.lab.world.miniature.drawing import PixelBox, Thing
from engine.lab.world.miniature.objects import CLUTTER_KINDS, KINDS, paint_object
from engine.lab.world.scenes import find_place
from engine.trace import Box

__all__ = ["SHAPES", "Item", "Tray", "draw_names", "fill_with_objects", "place_tray", "scatter", "tray_size"]

SHAPES = ("board", "disc")
_TOO_NEAR = (
    {"black", "blue"},
    {"black", "purple"},
    {"blue", "purple"},
    {"orange", "red"},
    {"orange", "yellow"},
    {"white", "yellow"},
)
"""Pairs of which the one does not stand out on the other."""
_ALIKE = ({"orange", "red"}, {"orange", "yellow"}, {"blue", "purple"})
"""Pairs whose shades a person may take for each other."""
_CELL = 1.3
"""A cell's side as a multiple of the thing in it."""


@dataclass(frozen=True, slots=True)
class Tray:
    """`box` in pixels of the picture; `cells` by `cells` places for things of `side` pixels."""

    color: str
    shape: str
    box: PixelBox
    cells: int
    side: float

    @property
    def name(self) -> str:
        return f"{self.color} {self.shape}"

    def draw_colors(self, rng: random.Random, count: int) -> list[str]:
        """Different colours that stand out on the tray and are never mistaken for each other; 4 can always be had."""
        fitting = [color for color in signs.COLORS if color != self.color and {color, self.color} not in _TOO_NEAR]
        while True:
            colors = rng.sample(fitting, count)
            if not any(pair <= set(colors) for pair in _ALIKE):
                return colors

    def center(self, column: int, row: int) -> tuple[float, float]:
        """The middle of a cell, in pixels of the picture."""
        middle = (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2
        pitch, half = self.side * _CELL, (self.cells - 1) / 2
        return middle[0] + (column - half) * pitch, middle[1] + (row - half) * pitch

    def thing(self, frames: tuple[int, ...] = (1,)) -> Thing:
        left, top, right, bottom = self.box
        return Thing("tray", self.shape, self.color, (left, top, right, bottom), frames)

    def laid(self, item: Item, frames: tuple[int, ...] = (1,)) -> Thing:
        """An object that lies on this tray."""
        cell = item.column, item.row
        return Thing.around("object", item.kind, item.color, self.center(*cell), self.side, frames, self.name, cell)

    def share_box(self, size: tuple[int, int]) -> Box:
        """Its place in a picture of `size`, (width, height) in pixels."""
        left, top, right, bottom = self.box
        return Box(left / size[0], top / size[1], right / size[0], bottom / size[1])


@dataclass(frozen=True, slots=True)
class Item:
    kind: str
    color: str
    column: int
    row: int


def draw_names(rng: random.Random, count: int) -> list[tuple[str, str]]:
    """`count` different (colour, shape)."""
    return rng.sample([(color, shape) for color in signs.COLORS for shape in SHAPES], count)


def tray_size(shape: str, cells: int, side: float) -> tuple[int, int]:
    inner = side * _CELL * cells
    return (round(inner * 1.06 + 4),) * 2 if shape == "board" else (round(inner * 1.32 + 4),) * 2


def place_tray(
    rng: random.Random,
    picture: Image.Image,
    name: tuple[str, str],
    cells: int,
    side: float,
    taken: Sequence[PixelBox],
) -> Tray | None:
    """Paint an empty tray where there is room and its colour stands out; None where there is none."""
    size = tray_size(name[1], cells, side)
    if size[0] > picture.width - 14 or size[1] > picture.height - 14:
        return None
    fill = signs.draw_shade(rng, name[0])
    box = find_place(rng, picture, size, list(taken), fill)
    if box is None:
        return None
    tray = Tray(*name, box, cells, side)
    _paint_tray(rng, picture, tray, fill)
    return tray


def _paint_tray(rng: random.Random, picture: Image.Image, tray: Tray, fill: signs.Rgb) -> None:
    size = tray.box[2] - tray.box[0], tray.box[3] - tray.box[1]
    if rng.random() < 0.4:
        rim = (rng.randint(0, 50),) * 3 if rng.random() < 0.5 else (rng.randint(205, 255),) * 3
        picture.paste(rim, tray.box[:2], signs.shape_mask(tray.shape, size, 0, True))
        picture.paste(fill, tray.box[:2], signs.shape_mask(tray.shape, size, rng.randint(1, 3), True))
    else:
        picture.paste(fill, tray.box[:2], signs.shape_mask(tray.shape, size, 0, True))


def fill_with_objects(rng: random.Random, picture: Image.Image, tray: Tray) -> tuple[Item, ...]:
    """Four objects of four kinds and four colours. Some two share a row and some two a column, so that left, right, above
    and below can all be asked."""
    places = [(column, row) for column in range(tray.cells) for row in range(tray.cells)]
    corner = rng.choice(places)
    in_row = rng.choice([place for place in places if place[1] == corner[1] and place != corner])
    in_column = rng.choice([place for place in places if place[0] == corner[0] and place != corner])
    rest = rng.choice([place for place in places if place not in (corner, in_row, in_column)])
    taken = [corner, in_row, in_column, rest]
    rng.shuffle(taken)
    kinds = rng.sample(KINDS, 4)
    colors = tray.draw_colors(rng, 4)
    items = tuple(Item(kind, color, *place) for kind, color, place in zip(kinds, colors, taken, strict=True))
    for item in items:
        paint_object(rng, picture, item.kind, item.color, tray.center(item.column, item.row), tray.side)
    return items


def scatter(
    rng: random.Random, picture: Image.Image, count: int, sides: tuple[float, float], taken: Sequence[PixelBox]
) -> tuple[Thing, ...]:
    """Objects of every kind and colour beside the trays, which no question is about."""
    scattered: list[Thing] = []
    for _ in range(count):
        side = rng.uniform(*sides)
        x, y = rng.uniform(side, picture.width - side), rng.uniform(side, picture.height - side)
        half = side / 2 + 4
        if all(x + half < b[0] or x - half > b[2] or y + half < b[1] or y - half > b[3] for b in taken):
            kind, color = rng.choice(KINDS + CLUTTER_KINDS), rng.choice(signs.COLORS)
            paint_object(rng, picture, kind, color, (x, y), side)
            scattered.append(Thing.around("object", kind, color, (x, y), side))
    return tuple(scattered)
