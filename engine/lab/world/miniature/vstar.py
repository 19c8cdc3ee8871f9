"""mini-vstar: colour, kind and relative position of objects on the trays of a cluttered scene.

The idea: as in V* (arXiv 2312.14135) one object among many has to be found. Every tray carries four objects of four kinds and
four colours, and the options are what lies on the tray, so whoever sees only blobs can do no better than guess.

Invariant: four options, one right, in random order; all four directions are as likely whatever lies on the tray.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from engine.lab.world.miniature.drawing import IMAGE_VIEW_AREA, OBJECT, Difficulty, Drawing, choices
from engine.lab.world.miniature.surroundings import Split, draw_scenery, draw_size, random_for
from engine.lab.world.miniature.trays import Item, Tray, draw_names, fill_with_objects, place_tray, scatter
from engine.lab.world.scenes import degrade
from engine.trace import Evidence

__all__ = ["CATEGORIES", "CHANCE", "DIRECTIONS", "ask", "ask_attribute", "direction_of", "draw"]

CATEGORIES = ("direct_attributes", "relative_position")
"""V*'s own names."""
DIRECTIONS = ("left", "right", "above", "below")
CHANCE = 0.25
_HARD_SHARE = 0.6
_CELLS: Mapping[Difficulty, int] = {"hard": 3, "easy": 2}
"""A tray's cells a side: large things need fewer, as a tray is at most a fifth of the picture."""


def draw(seed: int, split: Split) -> Drawing | None:
    """The drawing of a seed; None where the tray that is asked about found no room."""
    rng = random_for("mini-vstar", split, seed)
    difficulty: Difficulty = "hard" if rng.random() < _HARD_SHARE else "easy"
    category = rng.choice(CATEGORIES)
    size = draw_size(rng)
    picture = draw_scenery(rng, size, split)
    plan: list[Difficulty] = ["hard" for _ in range(rng.randint(2, 4))]
    if difficulty == "easy" or rng.random() < 0.5:
        plan.insert(0, "easy")  # the largest finds room first
    trays: list[tuple[Tray, tuple[Item, ...], Difficulty]] = []
    for name, kind in zip(draw_names(rng, len(plan)), plan, strict=True):
        side = OBJECT.draw_side(rng, kind, size, IMAGE_VIEW_AREA)
        tray = place_tray(rng, picture, name, _CELLS[kind], side, [other.box for other, _, _ in trays])
        if tray is not None:
            trays.append((tray, fill_with_objects(rng, picture, tray), kind))
    things = list(scatter(rng, picture, rng.randint(6, 18), (26, 100), [tray.box for tray, _, _ in trays]))
    for tray, items, _ in trays:
        things += [tray.thing(), *(tray.laid(item) for item in items)]
    fitting = [(tray, items) for tray, items, kind in trays if kind == difficulty]
    if not fitting:
        return None
    tray, items = rng.choice(fitting)
    question, options, answer = ask(rng, category, tray.name, items)
    evidence = Evidence(boxes=(tray.share_box(size),))
    frames = (degrade(rng, picture, 0.5),)
    return Drawing(frames, question, answer, options, evidence, category, difficulty, tuple(things))


def ask(rng: random.Random, category: str, tray: str, items: Sequence[Item]) -> tuple[str, tuple[str, ...], str]:
    """A question of the category about what lies on the tray of that name, its options and the letter of the right one."""
    if category == "relative_position":
        direction = rng.choice(DIRECTIONS)
        pairs = [(one, two) for one in items for two in items if direction_of(one, two) == direction]
        one, two = rng.choice(pairs)
        options, answer = choices(rng, direction, [other for other in DIRECTIONS if other != direction])
        return f"On the {tray}, where is the {one.kind}, seen from the {two.kind}?", options, answer
    return ask_attribute(rng, tray, items)


def ask_attribute(rng: random.Random, tray: str, items: Sequence[Item]) -> tuple[str, tuple[str, ...], str]:
    """A question for the colour of a kind or the kind of a colour, its options and the letter of the right one."""
    item, *others = rng.sample(items, len(items))
    if rng.random() < 0.5:
        options, answer = choices(rng, item.color, [other.color for other in others])
        return f"What color is the {item.kind} on the {tray}?", options, answer
    options, answer = choices(rng, item.kind, [other.kind for other in others])
    return f"What is the {item.color} object on the {tray}?", options, answer


def direction_of(one: Item, two: Item) -> str | None:
    """Where `one` lies, seen from `two`; None unless they share exactly a row or a column."""
    if one.row == two.row and one.column != two.column:
        return "left" if one.column < two.column else "right"
    if one.column == two.column and one.row != two.row:
        return "above" if one.row < two.row else "below"
    return None
