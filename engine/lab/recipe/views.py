"""A picture as the model sees it, with the dense labels that training-only heads learn from.

Idea: one answer of five characters is little to learn from. Where each character stands, and which sign stands in
which token, is known for every picture drawn, so every picture teaches dozens of things at once.

Shapes: `characters` is (patches,): 0 nothing, 1..36 the character whose centre lies in the patch, -100 unknown.
`orders` is (patches,): which character of its text that is, from 0, -100 where none is or the text is no sign's.
`colors` and `shapes` are (tokens,): 0 nothing, 1.. the sign that the token's centre lies on, or whose centre lies in the
token, -100 unknown.
`owner_colors` and `owner_shapes` are (tokens,): the sign whose text the token shows, from 0, -100 where it shows none.
`kinds` and `hues` are (patches,): 0 nothing, 1.. the kind and the colour of the small thing (object or mark) that the patch
shows, -100 unknown.
`middles` is (patches,): 1 where the middle of a small thing lies, which is what tells one large thing from two, 0 elsewhere, -100
unknown.
`boxes` is (labelled tokens, 5): token, x1, y1, x2, y2 of its sign in hundredths of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from engine.lab.recipe import patches
from engine.lab.world import signs, words
from engine.lab.world.miniature.objects import CLUTTER_KINDS, KINDS, MARKS

__all__ = [
    "NO_BOXES",
    "THINGS",
    "UNKNOWN",
    "Point",
    "Shares",
    "LabelledPicture",
    "label_characters",
    "label_orders",
    "label_owners",
    "label_signs",
    "label_things",
    "view_of",
]

UNKNOWN = -100
NO_BOXES = np.zeros((0, 5), np.float32)

_WELL_WITHIN = 0.7
THINGS = (*(("object", kind) for kind in KINDS + CLUTTER_KINDS), *(("mark", kind) for kind in MARKS))
"""(role, kind) of what small things there are: a star among the marks is not the star among the objects."""

Point = tuple[float, float]
Shares = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A picture as the tower sees it, and what its throw-away heads should say of it.

    pixels [P, d] are patches, P = rows * columns. Classes, UNKNOWN where nothing is asked: characters, orders, kinds, hues and
    middles [P], one a patch, colors, shapes and their owners' [P / 4], one a merged token. boxes is [n, 5].
    """

    pixels: np.ndarray
    rows: int
    columns: int
    characters: np.ndarray
    orders: np.ndarray
    colors: np.ndarray
    shapes: np.ndarray
    owner_colors: np.ndarray
    owner_shapes: np.ndarray
    kinds: np.ndarray
    hues: np.ndarray
    middles: np.ndarray
    boxes: np.ndarray

    @property
    def tokens(self) -> int:
        return self.rows * self.columns // 4

    def patch_at(self, x: float, y: float) -> int | None:
        """The index of the patch under a point given in shares of the picture; None outside."""
        row, column = int(y * self.rows), int(x * self.columns)
        if 0 <= x < 1 and 0 <= y < 1:
            return patches.patch_index(row, column, self.columns)
        return None

    def token_at(self, x: float, y: float) -> int | None:
        patch = self.patch_at(x, y)
        return None if patch is None else patch // 4

    def token_of(self, box: Shares) -> int:
        """The token that holds a box's middle; the box lies in the picture."""
        token = self.token_at((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        if token is None:
            raise ValueError(f"{box} is outside the picture")
        return token


def view_of(picture: Image.Image) -> LabelledPicture:
    """A view of an already resized picture, with nothing labelled."""
    rows, columns = picture.height // patches.PATCH, picture.width // patches.PATCH
    count = rows * columns

    def unknown(size: int) -> np.ndarray:
        return np.full(size, UNKNOWN, np.int64)

    return LabelledPicture(
        pixels=patches.patchify(picture),
        rows=rows,
        columns=columns,
        characters=unknown(count),
        orders=unknown(count),
        colors=unknown(count // 4),
        shapes=unknown(count // 4),
        owner_colors=unknown(count // 4),
        owner_shapes=unknown(count // 4),
        kinds=unknown(count),
        hues=unknown(count),
        middles=unknown(count),
        boxes=NO_BOXES,
    )


def label_characters(view: LabelledPicture, texts: Iterable[tuple[str, Iterable[Point]]]) -> LabelledPicture:
    """Label every patch: texts come with their characters' centres in shares of the picture."""
    view.characters[:] = 0
    for text, centers in texts:
        for character, (x, y) in zip(text, centers, strict=True):
            patch = view.patch_at(x, y)
            if patch is not None:
                view.characters[patch] = 1 + words.CHARACTERS.index(character)
    return view


def label_orders(view: LabelledPicture, texts: Iterable[Iterable[Point]]) -> LabelledPicture:
    """Label where each text's first, second, ... character stands: what a reader must know to go from one to the next."""
    for centers in texts:
        for order, (x, y) in enumerate(centers):
            patch = view.patch_at(x, y)
            if patch is not None:
                view.orders[patch] = order
    return view


def label_owners(view: LabelledPicture, texts: Iterable[tuple[str, str, Iterable[Point]]]) -> LabelledPicture:
    """Label every token that shows a character, or a small thing, with the colour and the shape of the sign that carries it."""
    for color, shape, centers in texts:
        for x, y in centers:
            token = view.token_at(x, y)
            if token is not None:
                view.owner_colors[token] = signs.COLORS.index(color)
                view.owner_shapes[token] = signs.SHAPES.index(shape)
    return view


def label_things(view: LabelledPicture, things: Iterable[tuple[str, str, str, Shares, bool]]) -> LabelledPicture:
    """Label every patch with the small thing that it shows: (role, kind, colour, box in shares, whether it is large enough to
    be made out). Only the patch of its centre and those well within it are labelled; what is at its edge, and what is too
    small, is unknown."""
    view.kinds[:] = 0
    view.hues[:] = 0
    view.middles[:] = 0
    everything = list(things)
    for _, _, _, box, is_clear in everything:
        for patch in _patches_in(view, box, 1.0):
            view.kinds[patch] = view.hues[patch] = UNKNOWN
            view.middles[patch] = view.middles[patch] if is_clear else UNKNOWN
    for _, _, _, (x1, y1, x2, y2), is_clear in everything:
        middle = view.patch_at((x1 + x2) / 2, (y1 + y2) / 2)
        if middle is not None and is_clear:
            view.middles[middle] = 1
    for share in (_WELL_WITHIN, 0.0):  # centres last: in a crowd two things may share a patch
        for role, kind, color, box, is_clear in everything:
            if is_clear:
                for patch in _patches_in(view, box, share):
                    view.kinds[patch] = 1 + THINGS.index((role, kind))
                    view.hues[patch] = 1 + signs.COLORS.index(color)
    return view


def _patches_in(view: LabelledPicture, box: Shares, share: float) -> Iterable[int]:
    """The patch of a box's middle, and those whose own middle lies within `share` of the box."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half_x, half_y = share * (box[2] - box[0]) / 2, share * (box[3] - box[1]) / 2
    middle = view.patch_at(x, y)
    if middle is not None:
        yield middle
    for row in range(max(0, int((y - half_y) * view.rows)), min(view.rows, math.ceil((y + half_y) * view.rows))):
        if abs((row + 0.5) / view.rows - y) < half_y:
            for column in range(
                max(0, int((x - half_x) * view.columns)), min(view.columns, math.ceil((x + half_x) * view.columns))
            ):
                if abs((column + 0.5) / view.columns - x) < half_x:
                    yield patches.patch_index(row, column, view.columns)


def label_signs(
    view: LabelledPicture, named: Iterable[tuple[str, str, tuple[float, float, float, float]]]
) -> LabelledPicture:
    """Label every token with the sign that it shows; boxes come in shares of the picture. In a large view that is a dozen
    tokens a sign: the one in its middle alone does not tell a box exactly."""
    view.colors[:] = 0
    view.shapes[:] = 0
    boxes = []
    for color, shape, (x1, y1, x2, y2) in named:
        middle = view.token_at((x1 + x2) / 2, (y1 + y2) / 2)
        shown = {middle} if middle is not None else set()
        for row in range(max(0, int(y1 * view.rows / 2)), min(view.rows // 2, math.ceil(y2 * view.rows / 2))):
            for column in range(
                max(0, int(x1 * view.columns / 2)), min(view.columns // 2, math.ceil(x2 * view.columns / 2))
            ):
                x, y = 2 * (column + 0.5) / view.columns, 2 * (row + 0.5) / view.rows
                if _is_on(shape, (2 * x - x1 - x2) / (x2 - x1), (2 * y - y1 - y2) / (y2 - y1)):
                    shown.add(row * (view.columns // 2) + column)
        for token in sorted(shown):
            view.colors[token] = 1 + signs.COLORS.index(color)
            view.shapes[token] = 1 + signs.SHAPES.index(shape)
            boxes.append((token, 100 * x1, 100 * y1, 100 * x2, 100 * y2))
    labelled = np.array(boxes, np.float32) if boxes else NO_BOXES
    return replace(view, boxes=labelled)


def _is_on(shape: str, across: float, down: float) -> bool:
    """Whether a point lies on a shape, given from its middle in half widths and half heights."""
    if shape == "disc":
        return across**2 + down**2 <= 1
    if shape == "diamond":
        return abs(across) + abs(down) <= 1
    return max(abs(across), abs(down)) <= 1
