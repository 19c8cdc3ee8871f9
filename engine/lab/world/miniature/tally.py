"""mini-tally: counting the marks on a tray that meet a condition.

The idea: as in TallyQA's complex questions (arXiv 1810.12440) what is counted has a condition: a kind, a colour or both, and
the tray. The answer is drawn first and evenly, and how many marks lie on the tray does not depend on it, so neither the
question nor a glance at how full the tray is says anything.

Invariant: answers 0 to MOST are equally likely (CHANCE); every tray carries FEWEST_MARKS to MOST_MARKS marks.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from PIL import Image

from engine.lab.world.miniature.drawing import COUNTED, IMAGE_VIEW_AREA, Difficulty, Drawing, Thing
from engine.lab.world.miniature.objects import MARKS, paint_mark
from engine.lab.world.miniature.surroundings import Split, draw_scenery, draw_size, random_for
from engine.lab.world.miniature.trays import Item, Tray, draw_names, place_tray, scatter
from engine.lab.world.scenes import degrade
from engine.trace import Evidence

__all__ = ["CATEGORIES", "CHANCE", "MOST", "PLURALS", "draw", "fill_with_marks"]

CATEGORIES = ("kind", "color", "color_and_kind")
MOST = 6
CHANCE = 1 / (MOST + 1)
FEWEST_MARKS, MOST_MARKS = 7, 9
_HARD_SHARE = 0.6
_CELLS = 3
PLURALS = {"dot": "dots", "square": "squares", "triangle": "triangles", "star": "stars", "cross": "crosses"}


def draw(seed: int, split: Split) -> Drawing | None:
    """The drawing of a seed; None where the tray that is asked about found no room."""
    rng = random_for("mini-tally", split, seed)
    difficulty: Difficulty = "hard" if rng.random() < _HARD_SHARE else "easy"
    size = draw_size(rng)
    picture = draw_scenery(rng, size, split)
    plan: list[Difficulty] = ["hard" for _ in range(rng.randint(2, 4))]
    if difficulty == "easy" or rng.random() < 0.5:
        plan.insert(0, "easy")  # the largest finds room first
    trays: list[tuple[Tray, str, str, int, tuple[Thing, ...], Difficulty]] = []
    for name, kind in zip(draw_names(rng, len(plan)), plan, strict=True):
        side = COUNTED.draw_side(rng, kind, size, IMAGE_VIEW_AREA)
        tray = place_tray(rng, picture, name, _CELLS, side, [one[0].box for one in trays])
        if tray is not None:
            trays.append((tray, *fill_with_marks(rng, picture, tray, rng.randint(0, MOST)), kind))
    things = list(scatter(rng, picture, rng.randint(4, 12), (26, 100), [one[0].box for one in trays]))
    for one in trays:
        things += [one[0].thing(), *one[4]]
    fitting = [one for one in trays if one[5] == difficulty]
    if not fitting:
        return None
    tray, category, asked, count, _, _ = rng.choice(fitting)
    evidence = Evidence(boxes=(tray.share_box(size),))
    question = f"How many {asked} are on the {tray.name}?"
    frames = (degrade(rng, picture, 0.5),)
    return Drawing(frames, question, str(count), (), evidence, category, difficulty, tuple(things))


def fill_with_marks(
    rng: random.Random, picture: Image.Image, tray: Tray, count: int, frames: tuple[int, ...] = (1,)
) -> tuple[str, str, int, tuple[Thing, ...]]:
    """Paint marks of which `count` meet a condition. Returns (category, the condition in words, count, the marks)."""
    category = rng.choice(CATEGORIES)
    palette = tray.draw_colors(rng, 3)
    kinds = rng.sample(MARKS, 3)
    color, kind = palette[0], kinds[0]
    meets: Callable[[str, str], bool] = {
        "kind": lambda k, c: k == kind,
        "color": lambda k, c: c == color,
        "color_and_kind": lambda k, c: k == kind and c == color,
    }[category]
    every = [(k, c) for k in kinds for c in palette]
    right, wrong = [one for one in every if meets(*one)], [one for one in every if not meets(*one)]
    # What shares a kind or a colour with the asked is the likeliest to be miscounted.
    near = [one for one in wrong if one[0] == kind or one[1] == color] or wrong
    total = rng.randint(FEWEST_MARKS, MOST_MARKS)
    marks = [rng.choice(right) for _ in range(count)]
    marks += [rng.choice(near if rng.random() < 0.6 else wrong) for _ in range(total - count)]
    rng.shuffle(marks)
    places = rng.sample([(column, row) for column in range(tray.cells) for row in range(tray.cells)], total)
    items = [Item(k, c, *place) for (k, c), place in zip(marks, places, strict=True)]
    things: list[Thing] = []
    for item in items:
        x, y = tray.center(item.column, item.row)
        nudge = tray.side * 0.1
        spot = x + rng.uniform(-nudge, nudge), y + rng.uniform(-nudge, nudge)
        paint_mark(rng, picture, item.kind, item.color, spot, tray.side)
        cell = item.column, item.row
        things.append(Thing.around("mark", item.kind, item.color, spot, tray.side, frames, tray.name, cell))
    asked = {"kind": PLURALS[kind], "color": f"{color} things", "color_and_kind": f"{color} {PLURALS[kind]}"}
    return category, asked[category], count, tuple(things)
