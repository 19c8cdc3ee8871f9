"""Number plates: what the embedded reasoner was never taught, to be taught by hand.

A scene of plates is a picture of signs (`scenes.draw_scene`) with one number plate more: a long white or yellow board with
a band of blue at its left end and five or six characters beside it.

Invariant: `draw_plate_scene` is pure in (seed, split); splits are those of the scenes. The recipe that made the embedded
reasoner draws no plate and asks no question of one.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from PIL import Image, ImageDraw

from engine.lab.world import fonts, scenes, signs, words

__all__ = ["PHRASINGS", "PlateScene", "draw_plate_scene"]

PHRASINGS = (
    "What does the number plate say?",
    "What is the number plate?",
    "Read the number plate.",
    "Which number plate is it?",
)
_BAND = (20, 60, 160)
_SIGNS = (3, 6)


@dataclass(frozen=True, slots=True)
class PlateScene:
    """`box` is the whole plate's, in pixels of the picture."""

    picture: Image.Image
    text: str
    box: signs.Box
    question: str


def draw_plate_scene(seed: int, split: str) -> PlateScene | None:
    """The scene of a seed, or None where there is no room for a plate."""
    scene = scenes.draw_scene(seed, split, _SIGNS)
    rng = random.Random(f"plate {seed}")
    width = rng.randint(112, 168)
    height = round(width * rng.uniform(0.24, 0.3))
    fill = signs.draw_shade(rng, "white" if rng.random() < 0.7 else "yellow")
    picture = scene.picture.copy()
    box = scenes.find_place(rng, picture, (width, height), [sign.box for sign in scene.signs], fill)
    if box is None:
        return None
    text = _draw_text(rng)
    band = round(width * 0.11)
    ink = (rng.randint(0, 40),) * 3
    plate = Image.new("RGB", (width, height), fill)
    draw = ImageDraw.Draw(plate)
    draw.rectangle((0, 0, band, height), fill=_BAND)
    draw.rectangle((0, 0, width - 1, height - 1), outline=ink, width=2)
    face = rng.choice(fonts.faces(split == "heldout"))
    cap_height = height * rng.uniform(0.5, 0.6)
    font = fonts.load_for_height(face, cap_height)
    while signs.text_width(font, text, 1.0) > 0.9 * (width - band) and cap_height > scenes.SMALLEST_CAPITAL:
        cap_height -= 1
        font = fonts.load_for_height(face, cap_height)
    mask, _ = signs.set_text((width, height), (band + (width - band) / 2, height / 2), text, font, 1.0)
    plate.paste(ink, (0, 0), mask)
    picture.paste(plate, box[:2])
    return PlateScene(picture, text, box, rng.choice(PHRASINGS))


def _draw_text(rng: random.Random) -> str:
    letters = "".join(rng.choice(words.PLATE_LETTERS) for _ in range(rng.choice((2, 3))))
    return letters + "".join(rng.choice(words.DIGITS) for _ in range(3))
