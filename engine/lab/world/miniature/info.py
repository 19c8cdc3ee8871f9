"""mini-info: posters of a title, coloured panels, a table, a bar chart and small print.

The idea: as in InfographicVQA (arXiv 2104.12756) texts and numbers of very different sizes stand side by side, and the
question says where to look. The title, the large panels and the colour of the tallest bar can be made out in the first view;
everything else is small print there.

Invariant: all words of a poster differ and all numbers of a poster differ, so that a look at the wrong place is never right
by luck. Words and faces are those of the split (`surroundings`).

Not covered: lower case, running text, arithmetic over several numbers.
"""

from __future__ import annotations

from collections.abc import Callable

from engine.lab.world import fonts, signs
from engine.lab.world.miniature.drawing import Asked, Difficulty, Drawing, PixelBox, Thing
from engine.lab.world.miniature.posters import Poster, blank_poster, grown
from engine.lab.world.miniature.surroundings import Split, draw_code, random_for
from engine.lab.world.scenes import degrade
from engine.trace import Box, Evidence

__all__ = ["CATEGORIES", "CHANCE", "draw"]

CATEGORIES = ("title", "panel", "table", "bars", "small_print")
CHANCE = 0.05
"""ANLS of the best constant answer, rounded up: part marks for two digits out of four, and the colours of bars."""
_HARD_SHARE = 0.6
_MARGIN = 36


def draw(seed: int, split: Split) -> Drawing | None:
    """The drawing of a seed. Never None."""
    rng = random_for("mini-info", split, seed)
    difficulty: Difficulty = "hard" if rng.random() < _HARD_SHARE else "easy"
    poster = blank_poster(rng, split)
    every = _paint(poster)
    asked = [one for one in every if one.difficulty == difficulty]
    category = rng.choice(sorted({one.category for one in asked}))
    one = rng.choice([one for one in asked if one.category == category])
    width, height = poster.picture.size
    left, top, right, bottom = one.box
    box = Box(left / width, top / height, right / width, bottom / height)
    picture = degrade(rng, poster.picture, 0.6)
    return Drawing(
        (picture,),
        one.question,
        one.answer,
        (),
        Evidence(boxes=(box,)),
        category,
        difficulty,
        tuple(poster.things),
        tuple(poster.lines),
        tuple(every),
    )


def _paint(poster: Poster) -> list[Asked]:
    """Title above, small print below, and between them four cells with two groups of panels, the table and the bars."""
    width, height = poster.picture.size
    head, foot = round(height * 0.13), round(height * 0.07)
    asked = _paint_title(poster, (0, 0, width, head)) + _paint_small_print(poster, (0, height - foot, width, height))
    middle_x, middle_y = width // 2, (head + height - foot) // 2
    cells = [
        (_MARGIN, head + 18, middle_x - 14, middle_y - 10),
        (middle_x + 14, head + 18, width - _MARGIN, middle_y - 10),
        (_MARGIN, middle_y + 10, middle_x - 14, height - foot - 14),
        (middle_x + 14, middle_y + 10, width - _MARGIN, height - foot - 14),
    ]
    poster.rng.shuffle(cells)
    colors = poster.rng.sample([color for color in signs.COLORS if color not in ("white", "black")], 5)
    parts: list[Callable[[PixelBox], list[Asked]]] = [
        lambda cell: _paint_panels(poster, cell, colors[:2], "easy"),
        lambda cell: _paint_panels(poster, cell, colors[2:], "hard"),
        lambda cell: _paint_table(poster, cell),
        lambda cell: _paint_bars(poster, cell),
    ]
    for part, cell in zip(parts, cells, strict=True):
        asked += part(cell)
    return asked


def _paint_title(poster: Poster, area: PixelBox) -> list[Asked]:
    title = poster.words.pop()
    ink = poster.ink
    if poster.rng.random() < 0.5:
        band = signs.draw_shade(poster.rng, poster.rng.choice(signs.COLORS))
        poster.draw.rectangle(area, fill=band)
        ink = _ink_on(band)
    middle = (area[0] + area[2]) / 2, (area[1] + area[3]) / 2
    box = poster.write(title, middle, poster.capital("easy") * 1.1, ink, 0.8 * area[2])
    return [Asked("What is the title of the poster?", title, grown(box, 10, poster.picture.size), "title", "easy")]


def _paint_small_print(poster: Poster, area: PixelBox) -> list[Asked]:
    code = draw_code(poster.rng, poster.rng.randint(4, 6))
    middle = poster.rng.uniform(0.2, 0.8) * area[2], (area[1] + area[3]) / 2
    box = grown(poster.write(f"CODE {code}", middle, poster.capital("hard"), poster.ink), 12, poster.picture.size)
    return [Asked("What is the code in the small print?", code, box, "small_print", "hard")]


def _paint_panels(poster: Poster, cell: PixelBox, colors: list[str], difficulty: Difficulty) -> list[Asked]:
    asked = []
    left, top, right, bottom = cell
    pitch = (bottom - top) / len(colors)
    for k, color in enumerate(colors):
        number = poster.numbers.pop()
        fill = signs.draw_shade(poster.rng, color)
        upper = round(top + k * pitch) + 6
        if difficulty == "easy":
            box = (left, upper, right, round(upper + pitch) - 12)
        else:  # just large enough to be found, with a number that is not
            width, height = poster.rng.randint(170, 260), poster.rng.randint(90, 140)
            start = poster.rng.randint(left, right - width)
            box = (start, upper, start + width, upper + min(height, round(pitch) - 12))
        poster.draw.rectangle(box, fill=fill)
        poster.things.append(Thing("panel", "panel", color, box))
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        poster.write(number, middle, poster.capital(difficulty), _ink_on(fill), 0.86 * (box[2] - box[0]))
        asked.append(Asked(f"What number is in the {color} panel?", number, box, "panel", difficulty))
    return asked


def _ink_on(fill: signs.Rgb) -> signs.Rgb:
    return (15, 15, 15) if signs.luminance(fill) > 115 else (250, 250, 250)


def _paint_table(poster: Poster, cell: PixelBox) -> list[Asked]:
    rng = poster.rng
    capital = poster.capital("hard")
    rows = rng.randint(4, 6)
    row_height = round(capital * rng.uniform(2.0, 2.5))
    font = fonts.load_for_height(poster.face, capital)
    labels = [poster.words.pop() for _ in range(rows)]
    values = [poster.numbers.pop() for _ in range(rows)]
    first = max(font.getlength(text) for text in labels) + 1.6 * capital
    second = max(font.getlength(text) for text in values) + 1.6 * capital
    width, height = round(first + second), rows * row_height
    left = rng.randint(cell[0], max(cell[0], cell[2] - width))
    top = rng.randint(cell[1], max(cell[1], cell[3] - height))
    is_striped = rng.random() < 0.5
    for k, (label, value) in enumerate(zip(labels, values, strict=True)):
        upper = top + k * row_height
        if is_striped and k % 2 == 0:
            poster.draw.rectangle((left, upper, left + width, upper + row_height), fill=poster.shade)
        elif not is_striped:
            poster.draw.line((left, upper, left + width, upper), fill=poster.ink, width=1)
        poster.write(label, (left + first / 2, upper + row_height / 2), capital, poster.ink)
        poster.write(value, (left + first + second / 2, upper + row_height / 2), capital, poster.ink)
    box = (left, top, left + width, top + height)
    poster.draw.rectangle(box, outline=poster.ink, width=2)
    poster.draw.line((left + first, top, left + first, top + height), fill=poster.ink, width=1)
    box = grown(box, 6, poster.picture.size)
    return [
        Asked(f"What number is next to {label} in the table?", value, box, "table", "hard")
        for label, value in zip(labels, values, strict=True)
    ]


def _paint_bars(poster: Poster, cell: PixelBox) -> list[Asked]:
    """Bars whose heights differ by a tenth of the tallest at least; a number above and a word below each. Larger numbers
    stand above taller bars."""
    rng = poster.rng
    count = rng.randint(3, 4)
    named = [color for color in signs.COLORS if color not in ("white", "black", "orange", "purple")]
    colors = rng.sample(named, count)
    shares = [1.0, *rng.sample((0.3, 0.42, 0.54, 0.66, 0.78), count - 1)]
    rng.shuffle(shares)
    capital = poster.capital("hard")
    left, top, right, bottom = cell
    floor = bottom - round(2.2 * capital) - 6
    room = floor - top - round(2.4 * capital)
    pitch = (right - left) / count
    words = [poster.words.pop() for _ in range(count)]
    numbers = sorted((poster.numbers.pop() for _ in range(count)), key=int)
    ranks = sorted(range(count), key=lambda k: shares[k])
    asked = []
    for number, k in zip(numbers, ranks, strict=True):
        middle = left + (k + 0.5) * pitch
        bar = (round(middle - pitch * 0.3), floor - round(room * shares[k]), round(middle + pitch * 0.3), floor)
        poster.draw.rectangle(bar, fill=signs.draw_shade(rng, colors[k]))
        poster.things.append(Thing("bar", "bar", colors[k], bar))
        above = poster.write(number, (middle, bar[1] - capital * 1.1), capital, poster.ink, 0.95 * pitch)
        below = poster.write(words[k], (middle, floor + capital * 1.4), capital, poster.ink, 0.95 * pitch)
        # With the end of the bar that it belongs to, which the first view shows.
        above = grown(_around(above, (bar[0], bar[1], bar[2], bar[1] + 24)), 8, poster.picture.size)
        below = grown(_around(below, (bar[0], floor - 24, bar[2], floor)), 8, poster.picture.size)
        asked.append(Asked(f"What number is above the {colors[k]} bar?", number, above, "bars", "hard"))
        asked.append(Asked(f"What word is below the {colors[k]} bar?", words[k], below, "bars", "hard"))
    poster.draw.line((left, floor, right, floor), fill=poster.ink, width=3)
    asked.append(Asked("What color is the tallest bar?", colors[ranks[-1]], cell, "bars", "easy"))
    return asked


def _around(one: PixelBox, two: PixelBox) -> PixelBox:
    return min(one[0], two[0]), min(one[1], two[1]), max(one[2], two[2]), max(one[3], two[3])
