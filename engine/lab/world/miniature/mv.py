"""mini-mv: clips of 16 frames in which trays and signs come and go, change and move.

The idea: as in MVBench (arXiv 2311.17005) several kinds of tasks need the right frames. The first view shows all 16 frames so
small that a hard question can only be answered from frames that were selected at a higher resolution; where something
shows, is visible even there.

    reading     what is written on a board                 the other boards' texts are among the options
    attribute   colour or kind of what lies on a tray      the options are what lies on it
    count       how many marks on a tray meet a condition
    order       what is on a tray first, or last           the options are what was on it, and one that was not
    direction   which way an object moves                  four objects move, each another way

Invariant: four options, one right, in random order; no two things that are named share a name; evidence is at most 8
frames, all of which show what is asked about.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from engine.lab.world import signs
from engine.lab.world.miniature.drawing import (
    COUNTED_IN_CLIP,
    FRAME_VIEW_AREA,
    OBJECT_IN_CLIP,
    Difficulty,
    Drawing,
    Thing,
    choices,
)
from engine.lab.world.miniature.footage import Footage, blank_footage
from engine.lab.world.miniature.objects import KINDS, paint_object
from engine.lab.world.miniature.surroundings import Split, random_for
from engine.lab.world.miniature.tally import MOST, fill_with_marks
from engine.lab.world.miniature.trays import Item, draw_names, fill_with_objects
from engine.lab.world.miniature.vstar import DIRECTIONS, ask_attribute
from engine.lab.world.scenes import compress
from engine.trace import CLIP_FRAMES, MAX_SELECTED_FRAMES, Evidence

__all__ = ["CATEGORIES", "CHANCE", "draw"]

Asked = tuple[str, tuple[str, ...], str, tuple[int, ...]]
"""Question, options, letter of the right one, frames of the evidence."""
CHANCE = 0.25
_HARD_SHARE = 0.65


def draw(seed: int, split: Split) -> Drawing | None:
    """The drawing of a seed; None where what is asked about found no room."""
    rng = random_for("mini-mv", split, seed)
    difficulty: Difficulty = "hard" if rng.random() < _HARD_SHARE else "easy"
    category = rng.choice(CATEGORIES)
    footage = blank_footage(rng, split)
    name, *others = draw_names(rng, rng.randint(1, 4))
    asked = _TASKS[category](footage, name, difficulty)
    if asked is None:
        return None
    for other in others:
        if other not in footage.named:
            _add_distractor(footage, other)
    question, options, answer, shown = asked
    quality = rng.randint(72, 94)
    frames = footage.frames if rng.random() < 0.5 else [compress(frame, quality) for frame in footage.frames]
    return Drawing(
        tuple(frames),
        question,
        answer,
        options,
        Evidence(frames=shown),
        category,
        difficulty,
        tuple(footage.things),
        tuple(footage.lines),
    )


def _ask_reading(footage: Footage, name: tuple[str, str], difficulty: Difficulty) -> Asked | None:
    rng = footage.rng
    texts = footage.draw_texts(4)
    shown = footage.draw_window(2, 4)
    if not footage.place_sign(name[0], texts[0], difficulty, shown):
        return None
    others = [color for color in signs.COLORS if color != name[0]]
    for color, text in zip(rng.sample(others, 2), texts[1:], strict=False):
        footage.place_sign(color, text, difficulty, footage.draw_window(2, 4))
    options, answer = choices(rng, texts[0], texts[1:])
    return f"What is written on the {name[0]} board?", options, answer, shown


def _ask_attribute(footage: Footage, name: tuple[str, str], difficulty: Difficulty) -> Asked | None:
    rng = footage.rng
    shown = footage.draw_window(2, 5)
    side = OBJECT_IN_CLIP.draw_side(rng, difficulty, footage.size, FRAME_VIEW_AREA)
    canvas, tray = footage.place_tray(name, 2, side)
    if tray is None:
        return None
    items = fill_with_objects(rng, canvas, tray)
    footage.show(canvas, tray.box, shown)
    footage.things.extend([tray.thing(shown), *(tray.laid(item, shown) for item in items)])
    return *ask_attribute(rng, tray.name, items), shown


def _ask_count(footage: Footage, name: tuple[str, str], difficulty: Difficulty) -> Asked | None:
    rng = footage.rng
    shown = footage.draw_window(2, 5)
    side = COUNTED_IN_CLIP.draw_side(rng, difficulty, footage.size, FRAME_VIEW_AREA)
    canvas, tray = footage.place_tray(name, 3, side)
    if tray is None:
        return None
    # Any four counts are as likely as any other four, and each of them as likely to be the right one.
    right, *wrong = rng.sample(range(MOST + 1), 4)
    _, condition, _, marks = fill_with_marks(rng, canvas, tray, right, shown)
    footage.things.extend([tray.thing(shown), *marks])
    footage.show(canvas, tray.box, shown)
    options, answer = choices(rng, str(right), [str(number) for number in wrong])
    return f"How many {condition} are on the {tray.name}?", options, answer, shown


def _ask_order(footage: Footage, name: tuple[str, str], difficulty: Difficulty) -> Asked | None:
    """Three kinds in one colour, one after the other, 1 or 2 frames each."""
    rng = footage.rng
    side = OBJECT_IN_CLIP.draw_side(rng, difficulty, footage.size, FRAME_VIEW_AREA)
    cells = 1 if difficulty == "easy" else 3
    empty, tray = footage.place_tray(name, cells, side)
    if tray is None:
        return None
    lengths = [rng.randint(1, 2) for _ in range(3)]
    start = rng.randint(1, CLIP_FRAMES - sum(lengths) + 1)
    kinds, (color,) = rng.sample(KINDS, 4), tray.draw_colors(rng, 1)
    phases: list[tuple[int, ...]] = []
    for kind, length in zip(kinds, lengths, strict=False):
        phases.append(tuple(range(start, start + length)))
        start += length
        canvas = empty.copy()
        paint_object(rng, canvas, kind, color, tray.center(cells // 2, cells // 2), side)
        footage.show(canvas, tray.box, phases[-1])
        item = Item(kind, color, cells // 2, cells // 2)
        footage.things.extend([tray.thing(phases[-1]), tray.laid(item, phases[-1])])
    which, word = rng.choice(((0, "first"), (2, "last")))
    options, answer = choices(rng, kinds[which], [kind for kind in kinds if kind != kinds[which]])
    return f"What is on the {tray.name} {word}?", options, answer, phases[which]


def _ask_direction(footage: Footage, name: tuple[str, str], difficulty: Difficulty) -> Asked | None:
    """Four kinds, each in a quarter of the frame of its own, each another way, all in the same frames."""
    rng = footage.rng
    side = OBJECT_IN_CLIP.draw_side(rng, difficulty, footage.size, FRAME_VIEW_AREA)
    shown = footage.draw_window(5, MAX_SELECTED_FRAMES)
    width, height = footage.size
    travel = (height / 2 - side) * 0.8
    quarters = [(x, y) for x in (0.25, 0.75) for y in (0.25, 0.75)]
    rng.shuffle(quarters)
    kinds = rng.sample(KINDS, 4)
    for kind, direction, (x, y) in zip(kinds, DIRECTIONS, quarters, strict=True):
        color, sign = rng.choice(signs.COLORS), 1 if direction in ("right", "below") else -1
        for k, number in enumerate(shown):
            way = sign * travel * (k / (len(shown) - 1) - 0.5)
            dx, dy = (way, 0.0) if direction in ("left", "right") else (0.0, way)
            spot = x * width + dx, y * height + dy
            # The same shade in every frame.
            paint_object(random.Random(kind), footage.frames[number - 1], kind, color, spot, side)
            footage.things.append(Thing.around("object", kind, color, spot, side, (number,)))
    footage.taken.append((0, 0, width, height))  # nothing else may cover what moves
    which = rng.randrange(4)
    words = {"left": "left", "right": "right", "above": "up", "below": "down"}
    right = words[DIRECTIONS[which]]
    options, answer = choices(rng, right, [word for word in words.values() if word != right])
    return f"Which way does the {kinds[which]} move?", options, answer, shown


def _add_distractor(footage: Footage, name: tuple[str, str]) -> None:
    """A tray that no question is about, in frames of its own."""
    rng = footage.rng
    side = OBJECT_IN_CLIP.draw_side(rng, "hard", footage.size, FRAME_VIEW_AREA)
    canvas, tray = footage.place_tray(name, 2, side)
    if tray is not None:
        items = fill_with_objects(rng, canvas, tray)
        shown = footage.draw_window(2, 5)
        footage.show(canvas, tray.box, shown)
        footage.things.extend([tray.thing(shown), *(tray.laid(item, shown) for item in items)])


_TASKS: dict[str, Callable[[Footage, tuple[str, str], Difficulty], Asked | None]] = {
    "reading": _ask_reading,
    "attribute": _ask_attribute,
    "count": _ask_count,
    "order": _ask_order,
    "direction": _ask_direction,
}
CATEGORIES = tuple(_TASKS)
