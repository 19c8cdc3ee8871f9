"""Miniature drawings as the model sees them, every patch labelled with what can be made out there.

Invariant: what is too small in a view leaves its patch unknown, so that nothing is learned from blobs; the limits are
those between which the drawings never fall (`engine.lab.world.miniature.drawing`).

Not covered: questions (`world_poses`).
"""

from __future__ import annotations

import math
import random
from dataclasses import replace

import numpy as np

from engine.lab.recipe import patches, views
from engine.lab.recipe.patches import Budget
from engine.lab.recipe.views import LabelledPicture, Shares
from engine.lab.world import signs
from engine.lab.world.miniature.drawing import Drawing, Line, PixelBox, Thing
from engine.lab.world.words import CHARACTERS, LONGEST

__all__ = ["TALLEST", "Sight", "crop", "piece", "whole"]

CLEAR_PX = {"object": 11.0, "mark": 8.0}
"""Sides in pixels of the view from which on a kind is to be told."""
CLEAR_CAPITAL_PX = 8.0
PIECE = Budget(patches.BUDGETS["selected_frame"].min_pixels // 4, patches.BUDGETS["selected_frame"].max_pixels // 4)
_SIGNS = {"board": "board", "disc": "disc", "panel": "board", "bar": "board"}
TALLEST = "diamond"
"""What the tallest bar is labelled as, a shape that no drawing has: which bar that is, a token learns only by comparing."""


class Sight:
    """A part of one frame as a view, and where the drawing's things and lines lie in it. In a wide one trays and boards are
    what is labelled by place, in others what lies on them."""

    def __init__(self, drawing: Drawing, frame: int, place: PixelBox, budget: Budget, is_wide: bool) -> None:
        self.frame, self.place = frame, place
        picture = drawing.frames[frame - 1]
        if place != (0, 0, *picture.size):
            picture = picture.crop(place)
        self.size = picture.size
        self.view = _labelled(views.view_of(patches.resize(picture, budget)), drawing, self, is_wide)

    def share(self, point: tuple[float, float]) -> tuple[float, float]:
        """A point in pixels of the frame, in shares of the view."""
        left, top, right, bottom = self.place
        return (point[0] - left) / (right - left), (point[1] - top) / (bottom - top)

    def token(self, point: tuple[float, float]) -> int | None:
        return self.view.token_at(*self.share(point))

    def holds(self, box: tuple[float, float, float, float]) -> bool:
        left, top, right, bottom = self.place
        return left <= box[0] and top <= box[1] and box[2] <= right and box[3] <= bottom


def whole(drawing: Drawing, frame: int = 1, budget: str = "image") -> Sight:
    """A picture's first view; with another budget a frame's first view or a selected frame."""
    return Sight(drawing, frame, (0, 0, *drawing.frames[0].size), patches.BUDGETS[budget], True)


def crop(drawing: Drawing, box: Shares, is_wide: bool = False) -> Sight:
    """What zooming in on a box of the picture shows."""
    width, height = drawing.frames[0].size
    left, top = math.floor(box[0] * width + 1e-6), math.floor(box[1] * height + 1e-6)
    right, bottom = math.ceil(box[2] * width - 1e-6), math.ceil(box[3] * height - 1e-6)
    place = left, top, max(left + 1, right), max(top + 1, bottom)
    return Sight(drawing, 1, place, patches.BUDGETS["crop"], is_wide)


def piece(rng: random.Random, drawing: Drawing, frame: int, box: tuple[float, float, float, float]) -> Sight:
    """A stand-in for a selected frame: half its sides, seen at about its scale, around a box. The same things at the same
    size, in a quarter of the pixels."""
    width, height = drawing.frames[frame - 1].size
    left = _start(rng, box[0], box[2], width)
    top = _start(rng, box[1], box[3], height)
    place = left, top, max(left + width // 2, math.ceil(box[2])), max(top + height // 2, math.ceil(box[3]))
    return Sight(drawing, frame, place, PIECE, False)


def _start(rng: random.Random, first: float, last: float, length: int) -> int:
    """Where a window of half the length begins that holds what lies from `first` to `last`, if it can."""
    lowest, highest = max(0, math.ceil(last) - length // 2), min(math.floor(first), length - length // 2)
    return rng.randint(lowest, highest) if lowest <= highest else max(0, math.floor(first))


def _labelled(view: LabelledPicture, drawing: Drawing, sight: Sight, is_wide: bool) -> LabelledPicture:
    left, _, right, _ = sight.place
    scale = view.columns * patches.PATCH / (right - left)
    shown = [thing for thing in drawing.things if sight.frame in thing.frames]
    small = [thing for thing in shown if thing.role in CLEAR_PX]
    views.label_things(
        view,
        (
            (one.role, one.kind, one.color, _corners(sight, one), one.side * scale >= CLEAR_PX[one.role])
            for one in small
        ),
    )
    for thing in small:
        if thing.on and thing.side * scale >= CLEAR_PX[thing.role]:
            color, kind = thing.on.split(" ")
            views.label_owners(view, [(color, _SIGNS[kind], [sight.share(thing.center)])])
    lines = [line for line in drawing.lines if sight.frame in line.frames]
    if lines:
        _label_lines(view, sight, lines, scale, shown)
    if not is_wide:
        # A tray that fills the view is no sign in it; what lies on it must know its place, which thoughts name.
        clear = [one for one in small if one.side * scale >= CLEAR_PX[one.role]]
        return replace(view, boxes=_boxes(view, [_corners(sight, one) for one in clear]))
    signs_shown = [thing for thing in shown if thing.kind in _SIGNS and sight.holds(thing.box)]
    named = [(thing.color, _SIGNS[thing.kind], _corners(sight, thing)) for thing in signs_shown]
    labelled = views.label_signs(view, named)
    bars = [thing for thing in shown if thing.role == "bar"]
    if bars and all(sight.holds(bar.box) for bar in bars):
        edge = 100 * _corners(sight, min(bars, key=lambda bar: bar.box[1]))[0]
        on_tallest = [int(box[0]) for box in labelled.boxes if math.isclose(box[1], edge, abs_tol=1e-3)]
        labelled.shapes[on_tallest] = 1 + signs.SHAPES.index(TALLEST)
    return labelled


def _boxes(view: LabelledPicture, boxes: list[Shares]) -> np.ndarray:
    """The boxes of things that have a token of their own."""
    tokens = [view.token_at((x1 + x2) / 2, (y1 + y2) / 2) for x1, y1, x2, y2 in boxes]
    rows = [
        (token, *(min(100.0, max(0.0, 100 * edge)) for edge in box))
        for token, box in zip(tokens, boxes, strict=True)
        if token is not None and tokens.count(token) == 1
    ]
    return np.array(rows, np.float32) if rows else views.NO_BOXES


def _corners(sight: Sight, thing: Thing) -> Shares:
    x1, y1 = sight.share(thing.box[:2])
    x2, y2 = sight.share(thing.box[2:])
    return x1, y1, x2, y2


def _label_lines(view: LabelledPicture, sight: Sight, lines: list[Line], scale: float, shown: list[Thing]) -> None:
    clear = [line for line in lines if line.capital * scale >= CLEAR_CAPITAL_PX]
    words = [word for line in clear for word in _words_of(line)]
    texts = [(text, [sight.share(point) for point in centers]) for text, centers in words]
    views.label_characters(view, texts)
    views.label_orders(view, [centers for text, centers in texts if len(text) <= LONGEST])
    boards = [thing for thing in shown if thing.role in ("board", "panel")]
    for text, centers in words:
        owner = next((one for one in boards if _is_inside(centers[0], one.box)), None)
        if owner is not None and text:
            views.label_owners(view, [(owner.color, "board", [sight.share(point) for point in centers])])
    for line in lines:
        if line not in clear:
            for point in line.centers:
                patch = view.patch_at(*sight.share(point))
                if patch is not None:
                    view.characters[patch] = views.UNKNOWN


def _words_of(line: Line) -> list[tuple[str, tuple[tuple[float, float], ...]]]:
    """The words of a line with their characters' middles."""
    found, start = [], 0
    for word in line.text.split(" "):
        if word and all(letter in CHARACTERS for letter in word):
            found.append((word, line.centers[start : start + len(word)]))
        start += len(word) + 1
    return found


def _is_inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
