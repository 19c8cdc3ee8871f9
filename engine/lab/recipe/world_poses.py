"""What a question about a miniature drawing is about: the things and lines that its answer is read off.

Idea: the drawing's own question and others that could have been asked of the same picture are understood alike, from
their text and from what the drawing says of itself, so one picture teaches many answers.

Invariant: `understand` of a drawing's own question finds the drawing's own answer (held by a test); further questions
are made by the benchmarks' own functions.

Not covered: how the answer is thought and worded (`world_thoughts`).
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.lab.world import signs
from engine.lab.world.miniature.drawing import Difficulty, Drawing, Line, PixelBox, Thing, choices
from engine.lab.world.miniature.objects import MARKS
from engine.lab.world.miniature.tally import MOST, PLURALS
from engine.lab.world.miniature.trays import Item
from engine.lab.world.miniature.vstar import CATEGORIES as VSTAR_CATEGORIES
from engine.lab.world.miniature.vstar import ask, ask_attribute

__all__ = [
    "Form",
    "Pose",
    "draw_condition",
    "further_poses",
    "lying_on",
    "meets",
    "own_pose",
    "tray_poses",
    "trays_of",
    "understand",
]

Form = Literal["color", "kind", "relative", "count", "move", "read", "table"]
WAYS = {"left": "left", "right": "right", "above": "up", "below": "down"}


@dataclass(frozen=True, slots=True)
class Pose:
    """A question, its answer, and where that is read off.

    `told` is the answer in words: what the right option says, or the answer itself. `things` are in the order in which
    they are looked at; `frames` are the frames to select, `box` is what to zoom in on, in pixels; `carrier` is the
    tray or board that the question names.
    """

    form: Form
    question: str
    options: tuple[str, ...]
    answer: str
    told: str
    difficulty: Difficulty
    box: PixelBox
    frames: tuple[int, ...] = ()
    things: tuple[Thing, ...] = ()
    lines: tuple[Line, ...] = ()
    carrier: Thing | None = None


_COLOR = re.compile(r"What color is the (\w+) on the (\w+ \w+)\?")
_KIND = re.compile(r"What is the (\w+) object on the (\w+ \w+)\?")
_RELATIVE = re.compile(r"On the (\w+ \w+), where is the (\w+), seen from the (\w+)\?")
_COUNT = re.compile(r"How many (.+) are on the (\w+ \w+)\?")
_WRITTEN = re.compile(r"What is written on the (\w+) board\?")
_ORDER = re.compile(r"What is on the (\w+ \w+) (first|last)\?")
_MOVE = re.compile(r"Which way does the (\w+) move\?")
_TABLE = re.compile(r"What number is next to (\w+) in the table\?")


def understand(
    drawing: Drawing, question: str, options: tuple[str, ...], answer: str, box: PixelBox, difficulty: Difficulty
) -> Pose:
    """Raises ValueError for a question that no miniature benchmark asks."""
    told = options["ABCD".index(answer)] if options else answer

    def pose(form: Form, things: Sequence[Thing], frames: Sequence[int], lines: Sequence[Line] = ()) -> Pose:
        carrier = _carrier(drawing, question, frames)
        return Pose(
            form,
            question,
            options,
            answer,
            told,
            difficulty,
            box,
            tuple(frames) if len(drawing.frames) > 1 else (),
            tuple(things),
            tuple(lines),
            carrier,
        )

    if found := _COLOR.fullmatch(question):
        (one,) = (thing for thing in lying_on(drawing, found[2]) if thing.kind == found[1])
        return pose("color", [one], _middle(one.frames))
    if found := _KIND.fullmatch(question):
        (one,) = (thing for thing in lying_on(drawing, found[2]) if thing.color == found[1])
        return pose("kind", [one], _middle(one.frames))
    if found := _RELATIVE.fullmatch(question):
        known = {thing.kind: thing for thing in lying_on(drawing, found[1])}
        return pose("relative", [known[found[2]], known[found[3]]], _middle(known[found[2]].frames))
    if found := _COUNT.fullmatch(question):
        marks = lying_on(drawing, found[2])
        counted = sorted((one for one in marks if meets(found[1], one)), key=lambda one: (one.cell[1], one.cell[0]))
        return pose("count", counted, _middle(marks[0].frames))
    if found := _MOVE.fullmatch(question):
        moving = [
            thing for thing in drawing.things if thing.kind == found[1] and not thing.on and thing.role == "object"
        ]
        moving.sort(key=lambda thing: thing.frames)
        first, last = moving[0], moving[-1]
        return pose("move", [first, last], (first.frames[0], last.frames[0]))
    if found := _ORDER.fullmatch(question):
        phases = sorted(lying_on(drawing, found[1]), key=lambda thing: thing.frames)
        one = phases[0] if found[2] == "first" else phases[-1]
        return pose("kind", [one], (one.frames[0 if found[2] == "first" else -1],))
    if found := _WRITTEN.fullmatch(question):
        (board,) = (thing for thing in drawing.things if thing.role == "board" and thing.color == found[1])
        (line,) = (line for line in drawing.lines if line.text == told)
        return pose("read", [board], _middle(board.frames), [line])
    if found := _TABLE.fullmatch(question):
        return pose("table", [], (), [_line(drawing, found[1]), _line(drawing, answer)])
    if question == "What color is the tallest bar?":
        bars = [thing for thing in drawing.things if thing.role == "bar"]
        return pose("color", [min(bars, key=lambda bar: bar.box[1])], ())
    if drawing.asked:
        return pose("read", [], (), [_line(drawing, answer)])
    raise ValueError(f"no miniature benchmark asks {question!r}")


def _carrier(drawing: Drawing, question: str, frames: Sequence[int]) -> Thing | None:
    for one in drawing.things:
        is_shown = not frames or set(frames) & set(one.frames)
        if one.role in ("tray", "board") and f"the {one.color} {one.kind}" in question and is_shown:
            return one
    return None


def own_pose(drawing: Drawing) -> Pose:
    """What the drawing itself asks."""
    box = _evidence_box(drawing)
    return understand(drawing, drawing.question, drawing.options, drawing.answer, box, drawing.difficulty)


def further_poses(rng: random.Random, drawing: Drawing, count: int) -> list[Pose]:
    """The drawing's own question and others of the same picture, in random order, at most `count` of them."""
    poses = [own_pose(drawing)]
    if drawing.asked:
        by_category: dict[str, list] = {}
        for one in drawing.asked:
            by_category.setdefault(one.category, []).append(one)
        others = [rng.choice(by_category[category]) for category in by_category for _ in range(2)]
        poses += [understand(drawing, one.question, (), one.answer, one.box, one.difficulty) for one in others]
    elif len(drawing.frames) > 1:
        poses += _clip_poses(rng, drawing)
    else:
        for tray in trays_of(drawing):
            poses += tray_poses(rng, drawing, tray, 3)
    unique = {(pose.question, pose.told): pose for pose in poses}
    chosen = list(unique.values())
    rng.shuffle(chosen)
    easy = [one for one in chosen if one.difficulty == "easy"]
    hard = [one for one in chosen if one.difficulty == "hard"]
    # Most trays are hard ones; of what is asked about half is easy where there is as much.
    used = min(len(easy), max(-(-count // 2), count - len(hard)))
    chosen = [*easy[:used], *hard][:count]
    rng.shuffle(chosen)
    return chosen


def tray_poses(rng: random.Random, drawing: Drawing, tray: Thing, count: int) -> list[Pose]:
    """Questions about what lies on one tray of a picture or a clip."""
    name = f"{tray.color} {tray.kind}"
    laid = [thing for thing in lying_on(drawing, name) if thing.frames == tray.frames]
    difficulty: Difficulty = "easy" if _is_easy(drawing, laid[0]) else "hard"
    left, top, right, bottom = (round(edge) for edge in tray.box)
    poses: list[Pose] = []
    options: tuple[str, ...]
    for _ in range(count):
        if laid[0].role == "mark":
            condition, number = draw_condition(rng, laid)
            question = f"How many {condition} are on the {name}?"
            options, answer = (), str(number)
            if len(drawing.frames) > 1:
                wrong = rng.sample([k for k in range(MOST + 1) if k != number], 3)
                options, answer = choices(rng, str(number), [str(k) for k in wrong])
        elif len(laid) < 4:
            break
        else:
            items = [Item(one.kind, one.color, *one.cell) for one in laid]
            if len(drawing.frames) > 1:
                question, options, answer = ask_attribute(rng, name, items)
            else:
                question, options, answer = ask(rng, rng.choice(VSTAR_CATEGORIES), name, items)
        poses.append(understand(drawing, question, options, answer, (left, top, right, bottom), difficulty))
    return poses


def _clip_poses(rng: random.Random, drawing: Drawing) -> list[Pose]:
    poses: list[Pose] = []
    whole = (0, 0, *drawing.frames[0].size)
    moving = sorted({thing.kind for thing in drawing.things if thing.role == "object" and not thing.on})
    for kind in moving:
        track = sorted((one for one in drawing.things if one.kind == kind and not one.on), key=lambda one: one.frames)
        way = _way(track[0], track[-1])
        options, answer = choices(rng, way, [word for word in WAYS.values() if word != way])
        question = f"Which way does the {kind} move?"
        poses.append(understand(drawing, question, options, answer, whole, drawing.difficulty))
    for board in (thing for thing in drawing.things if thing.role == "board"):
        if drawing.question.startswith("What is written") and len(drawing.lines) >= 3:
            line = next(line for line in drawing.lines if _is_inside(line.centers[0], board.box))
            others = [one.text for one in drawing.lines if one is not line]
            spare = [option for option in drawing.options if option not in (*others, line.text)]
            options, answer = choices(rng, line.text, [*others, *spare][:3])
            question = f"What is written on the {board.color} board?"
            poses.append(understand(drawing, question, options, answer, whole, drawing.difficulty))
    if ordered := _ORDER.fullmatch(drawing.question):
        phases = sorted(lying_on(drawing, ordered[1]), key=lambda thing: thing.frames)
        other = next(option for option in drawing.options if option not in {one.kind for one in phases})
        for word, right in (("first", phases[0]), ("last", phases[-1])):
            wrong = [one.kind for one in phases if one is not right]
            options, answer = choices(rng, right.kind, [*wrong, other])
            question = f"What is on the {ordered[1]} {word}?"
            poses.append(understand(drawing, question, options, answer, whole, drawing.difficulty))
    for tray in trays_of(drawing):
        poses += tray_poses(rng, drawing, tray, 2)
    return poses


def draw_condition(rng: random.Random, marks: Sequence[Thing]) -> tuple[str, int]:
    """A condition in words and how many of the marks meet it: every possible number about as likely as any other."""
    kinds, colors = {one.kind for one in marks}, {one.color for one in marks}
    # A colour that none has: where all conditions are met by more than can be counted, nobody can ask but for none.
    absent = [rng.choice(MARKS)], [rng.choice([color for color in signs.COLORS if color not in colors])]
    every: dict[int, list[str]] = {}
    for kind in sorted({*kinds, *absent[0]}):
        every.setdefault(sum(one.kind == kind for one in marks), []).append(PLURALS[kind])
        for color in sorted(colors):
            number = sum(one.kind == kind and one.color == color for one in marks)
            every.setdefault(number, []).append(f"{color} {PLURALS[kind]}")
    for color in sorted({*colors, *absent[1]}):
        every.setdefault(sum(one.color == color for one in marks), []).append(f"{color} things")
    number = rng.choice(sorted(number for number in every if number <= MOST))
    return rng.choice(every[number]), number


def meets(condition: str, mark: Thing) -> bool:
    """Whether a mark is one of "red dots", "dots" or "red things"."""
    *colors, plural = condition.split()
    is_kind = plural == "things" or PLURALS.get(mark.kind) == plural
    return is_kind and all(color == mark.color for color in colors)


def lying_on(drawing: Drawing, tray: str) -> list[Thing]:
    return [thing for thing in drawing.things if thing.on == tray]


def trays_of(drawing: Drawing) -> list[Thing]:
    """Trays that carry the same things as long as they show."""
    trays = [thing for thing in drawing.things if thing.role == "tray"]
    names = [(one.color, one.kind) for one in trays]
    return [one for one in trays if names.count((one.color, one.kind)) == 1]


def _is_easy(drawing: Drawing, thing: Thing) -> bool:
    """Easy things are several times as large as hard ones; a hundredth of the diagonal lies between."""
    width, height = drawing.frames[0].size
    scale = (16 if len(drawing.frames) > 1 else 70) ** 0.5 * 28 / (width * height) ** 0.5
    return thing.side * scale > 7


def _way(first: Thing, last: Thing) -> str:
    (x1, y1), (x2, y2) = first.center, last.center
    if abs(x2 - x1) > abs(y2 - y1):
        return WAYS["right" if x2 > x1 else "left"]
    return WAYS["below" if y2 > y1 else "above"]


def _is_inside(point: tuple[float, float], box: tuple[float, float, float, float]) -> bool:
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def _middle(frames: tuple[int, ...]) -> tuple[int, ...]:
    return (frames[len(frames) // 2],)


def _line(drawing: Drawing, text: str) -> Line:
    """The line that ends with a text, cut to it: "CODE KX742" holds "KX742"."""
    line = next(one for one in drawing.lines if one.text == text or one.text.endswith(f" {text}"))
    return Line(text, line.centers[len(line.text) - len(text) :], line.capital, line.frames)


def _evidence_box(drawing: Drawing) -> PixelBox:
    width, height = drawing.frames[0].size
    if not drawing.evidence.boxes:
        return 0, 0, width, height
    (box,) = drawing.evidence.boxes
    return round(box.x1 * width), round(box.y1 * height), round(box.x2 * width), round(box.y2 * height)
