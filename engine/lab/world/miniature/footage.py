"""A clip being painted: 16 frames of one scenery, and things that show in some of them.

Invariant: what is placed never covers what was placed before, whichever frames they show in; frames are numbered from 1.

Not covered: cuts, camera motion, things that leave the frame.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image

from engine.lab.world import fonts, signs
from engine.lab.world.miniature.drawing import CAPITAL_IN_CLIP, FRAME_VIEW_AREA, Difficulty, Line, PixelBox, Thing
from engine.lab.world.miniature.surroundings import Split, draw_scenery, faces, words_of
from engine.lab.world.miniature.trays import Tray, place_tray
from engine.lab.world.scenes import find_place
from engine.trace import CLIP_FRAMES

__all__ = ["Footage", "blank_footage"]

_SIZES = ((640, 480), (640, 480), (640, 480), (600, 450), (576, 432), (640, 400))
_SMALLEST_BOARD = (72, 44)
"""Pixels of a board that can be found in the first view, whatever is written on it."""


@dataclass(frozen=True, slots=True)
class Footage:
    """`taken` and `named` are the boxes and the (colour, shape) of all that was placed; `things` and `lines` all of it."""

    rng: random.Random
    split: Split
    scenery: Image.Image
    frames: list[Image.Image]
    taken: list[PixelBox]
    named: set[tuple[str, str]]
    things: list[Thing] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def size(self) -> tuple[int, int]:
        return self.scenery.size

    def draw_window(self, shortest: int, longest: int) -> tuple[int, ...]:
        """The numbers of some consecutive frames."""
        length = self.rng.randint(shortest, longest)
        start = self.rng.randint(1, CLIP_FRAMES - length + 1)
        return tuple(range(start, start + length))

    def place_tray(self, name: tuple[str, str], cells: int, side: float) -> tuple[Image.Image, Tray | None]:
        """A canvas with the scenery and, where there is room, an empty tray; no frame shows it yet."""
        canvas = self.scenery.copy()
        tray = place_tray(self.rng, canvas, name, cells, side, self.taken)
        if tray is not None:
            self.taken.append(tray.box)
            self.named.add(name)
        return canvas, tray

    def show(self, canvas: Image.Image, box: PixelBox, numbers: Sequence[int]) -> None:
        """Let the frames of these numbers show what the canvas has in `box`."""
        patch = canvas.crop(box)
        for number in numbers:
            self.frames[number - 1].paste(patch, box[:2])

    def draw_texts(self, count: int) -> list[str]:
        """Different texts of one kind and one length, so that their length tells nothing."""
        if self.rng.random() < 0.5:
            return [str(number) for number in self.rng.sample(range(1000, 10000), count)]
        length = self.rng.choice((5, 6))  # every split has enough of these
        return self.rng.sample([word for word in words_of(self.split) if len(word) == length], count)

    def place_sign(self, color: str, text: str, difficulty: Difficulty, numbers: Sequence[int]) -> bool:
        """Show a board with a text in these frames. False where there is no room."""
        capital = CAPITAL_IN_CLIP.draw_side(self.rng, difficulty, self.size, FRAME_VIEW_AREA)
        font = fonts.load_for_height(self.rng.choice(faces(self.split)), capital)
        width = max(_SMALLEST_BOARD[0], round(font.getlength(text) + 1.4 * capital))
        height = max(_SMALLEST_BOARD[1], round(2.4 * capital))
        if width > self.size[0] - 14 or height > self.size[1] - 14:
            return False
        fill = signs.draw_shade(self.rng, color)
        box = find_place(self.rng, self.scenery, (width, height), self.taken, fill)
        if box is None:
            return False
        self.taken.append(box)
        self.named.add((color, "board"))
        board = Image.new("RGB", (width, height), fill)
        mask, _ = signs.set_text((width, height), (width / 2, height / 2), text, font)
        board.paste(signs.draw_ink(self.rng, fill), (0, 0), mask)
        for number in numbers:
            self.frames[number - 1].paste(board, box[:2])
        self.things.append(Thing("board", "board", color, box, tuple(numbers)))
        start = box[0] + width / 2 - signs.text_width(font, text, 0) / 2
        centers = signs.character_centers(font, text, start, box[1] + height / 2)
        self.lines.append(Line(text, centers, capital, tuple(numbers)))
        return True


def blank_footage(rng: random.Random, split: Split) -> Footage:
    size = rng.choice(_SIZES)
    scenery = draw_scenery(rng, size, split)
    return Footage(rng, split, scenery, [scenery.copy() for _ in range(CLIP_FRAMES)], [], set())
