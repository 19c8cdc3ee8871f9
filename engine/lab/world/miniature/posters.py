"""A poster being painted: paper, face, unused words and numbers, and writing on it.

Invariant: a word or number that was taken from a poster is never taken again.

Not covered: what parts a poster has (`info`).
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from PIL import Image, ImageDraw

from engine.lab.world import fonts, signs
from engine.lab.world.miniature.drawing import CAPITAL, IMAGE_VIEW_AREA, Asked, Difficulty, Line, PixelBox, Thing
from engine.lab.world.miniature.surroundings import Split, faces, words_of

__all__ = ["Asked", "PixelBox", "Poster", "blank_poster", "grown"]

_LONGEST_WORD = 6


@dataclass(frozen=True, slots=True)
class Poster:
    """`words` and `numbers` are those that are still unused: whoever writes one pops it. `things` and `lines` are all that was
    painted and written."""

    rng: random.Random
    picture: Image.Image
    draw: ImageDraw.ImageDraw
    face: fonts.Face
    paper: signs.Rgb
    words: list[str]
    numbers: list[str]
    things: list[Thing] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)

    @property
    def ink(self) -> signs.Rgb:
        return (20, 20, 24) if signs.luminance(self.paper) > 128 else (240, 240, 236)

    @property
    def shade(self) -> signs.Rgb:
        """The paper, a little nearer to the ink."""
        red, green, blue = (round(0.88 * a + 0.12 * b) for a, b in zip(self.paper, self.ink, strict=True))
        return red, green, blue

    def capital(self, difficulty: Difficulty) -> float:
        """Height of capitals in pixels."""
        return CAPITAL.draw_side(self.rng, difficulty, self.picture.size, IMAGE_VIEW_AREA)

    def write(
        self, text: str, middle: tuple[float, float], capital: float, ink: signs.Rgb, longest: float = 1e9
    ) -> PixelBox:
        """Write a line centred on `middle`, made smaller until it is at most `longest` pixels. Returns where it stands."""
        font = fonts.load_for_height(self.face, capital)
        while capital > 8 and font.getlength(text) > longest:
            capital -= 1
            font = fonts.load_for_height(self.face, capital)
        left, top, right, bottom = font.getbbox(text, anchor="ls")
        x, y = round(middle[0] - (left + right) / 2), round(middle[1] - (top + bottom) / 2)
        self.draw.text((x, y), text, font=font, fill=ink, anchor="ls")
        self.lines.append(Line(text, signs.character_centers(font, text, x, middle[1]), capital))
        return x + int(left), y + int(top), x + int(right) + 1, y + int(bottom) + 1


def blank_poster(rng: random.Random, split: Split) -> Poster:
    size = rng.randint(1140, 1280), rng.randint(1520, 1680)
    if rng.random() < 0.75:
        paper = (rng.randint(225, 255), rng.randint(225, 255), rng.randint(220, 255))
    else:
        paper = (rng.randint(10, 45), rng.randint(10, 45), rng.randint(15, 60))
    picture = Image.new("RGB", size, paper)
    fitting = [word for word in words_of(split) if 3 <= len(word) <= _LONGEST_WORD]
    words = rng.sample(fitting, 20)
    numbers = [str(number) for number in rng.sample(range(100, 9999), 40)]
    return Poster(rng, picture, ImageDraw.Draw(picture), rng.choice(faces(split)), paper, words, numbers)


def grown(box: PixelBox, by: int, size: tuple[int, int]) -> PixelBox:
    """The box, `by` pixels larger on every side, within a picture of `size`."""
    return max(0, box[0] - by), max(0, box[1] - by), min(size[0], box[2] + by), min(size[1], box[3] + by)
