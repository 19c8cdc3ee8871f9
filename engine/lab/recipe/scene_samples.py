"""Conversations on scenes: whole traces that zoom in, and cheap parts of them.

Idea: a trace is a question, an operation, what comes back, and the answer. Several questions share one first view,
as the picture is the dear part. Parts alone (where is it; what does this crop say) teach most of it at a fraction
of the cost.

Invariant: boxes are those that the model should propose: the sign and a margin of about one hundredth, on the grid
of two decimals. Calls that went wrong are in the conversation but carry no labels.

Not covered: nested zooms.
"""

from __future__ import annotations

import math
import random

from engine.lab.recipe import patches, tiles, turns, views
from engine.lab.recipe.sequences import Sequence
from engine.lab.recipe.turns import Lexicon
from engine.lab.recipe.views import LabelledPicture, Shares
from engine.lab.world import questions, scenes

__all__ = [
    "add_crop",
    "add_zoom_call",
    "cut",
    "ground_trace",
    "read_traces",
    "scene_view",
    "shown_box",
    "strip_trace",
    "zoom_trace",
]


def scene_view(scene: scenes.Scene, shown_as: str = "image") -> LabelledPicture:
    """A view of a whole scene, every token labelled; `shown_as` names its pixel budget."""
    view = views.view_of(patches.resize(scene.picture, patches.BUDGETS[shown_as]))
    named = [(sign.color, sign.shape, turns.shares_of(sign.box, scene.picture.size)) for sign in scene.signs]
    return views.label_signs(view, named)


def _cut_place(scene: scenes.Scene, box: Shares) -> tuple[int, int, int, int]:
    width, height = scene.picture.size
    return (
        math.floor(box[0] * width + 1e-6),
        math.floor(box[1] * height + 1e-6),
        math.ceil(box[2] * width - 1e-6),
        math.ceil(box[3] * height - 1e-6),
    )


def cut(scene: scenes.Scene, box: Shares) -> tuple[LabelledPicture, tuple[int, int], tuple[int, int, int, int]]:
    """The crop of a box as the model sees it, its size and place in pixels, every character labelled."""
    width, height = scene.picture.size
    left, top = math.floor(box[0] * width + 1e-6), math.floor(box[1] * height + 1e-6)
    right, bottom = math.ceil(box[2] * width - 1e-6), math.ceil(box[3] * height - 1e-6)
    place = (left, top, max(left + 1, right), max(top + 1, bottom))
    size = (place[2] - place[0], place[3] - place[1])
    view = views.view_of(patches.resize(scene.picture.crop(place), patches.BUDGETS["crop"]))
    texts = [
        (sign.text, [((x - left) / size[0], (y - top) / size[1]) for x, y in sign.centers]) for sign in scene.signs
    ]
    views.label_orders(view, [centers for _, centers in texts])
    owners = [(sign.color, sign.shape, centers) for sign, (_, centers) in zip(scene.signs, texts, strict=True)]
    return views.label_characters(views.label_owners(view, owners), texts), size, place


def _holds_text(place: tuple[int, int, int, int], sign: scenes.Sign) -> bool:
    box = sign.text_box
    return place[0] <= box[0] and place[1] <= box[1] and place[2] >= box[2] and place[3] >= box[3]


def add_crop(lexicon: Lexicon, sequence: Sequence, scene: scenes.Scene, sign: scenes.Sign, box: Shares) -> None:
    """The crop as a user turn and the answer that follows it."""
    view, size, place = cut(scene, box)
    sequence.begin_user()
    sequence.add_text(f"Here is the cropped image (Image Size: {size[0]}x{size[1]}):")
    start = sequence.add_view(view)
    sequence.end_turn()
    centers = [((x - place[0]) / size[0], (y - place[1]) / size[1]) for x, y in sign.centers]
    turns.add_answer(lexicon, sequence, sign.text, view, start, centers)


def add_zoom_call(
    lexicon: Lexicon, sequence: Sequence, thought: str, box: Shares, target: int, picture: int = 1
) -> None:
    where = sequence.add_assistant(turns.call_zoom(thought, box, picture))
    sequence.pull_tokens(where, lexicon.coordinate_ids, target)


def _token_of(view: LabelledPicture, scene: scenes.Scene, sign: scenes.Sign) -> int:
    x1, y1, x2, y2 = turns.shares_of(sign.box, scene.picture.size)
    return view.token_of((x1, y1, x2, y2))


def zoom_trace(rng: random.Random, lexicon: Lexicon, scene: scenes.Scene, count: int) -> Sequence:
    """Several questions on one scene, each answered by zooming in; now and then a guess, an error or a wrong place."""
    sequence = lexicon.begin()
    sequence.begin_user()
    view = scene_view(scene)
    start = sequence.add_view(view)
    asked = rng.sample(scene.signs, min(count, len(scene.signs)))
    for number, sign in enumerate(asked):
        if number:
            sequence.begin_user()
        question = questions.question_about(sign.color, sign.shape, rng)
        if rng.random() < 0.05:
            sequence.add_text(question + turns.NO_OPERATIONS)
            sequence.end_turn()
            sequence.add_assistant(turns.guess(sign.text))
            continue
        sequence.add_text(question)
        sequence.end_turn()
        box = turns.margin_box(sign.box, scene.picture.size)
        target = start + _token_of(view, scene, sign)
        thought = turns.thought_for(sign, turns.ZOOM_PLAN)
        fault = rng.random()
        if fault < 0.025:
            thought = _add_error(rng, sequence, thought, box)
        elif fault < 0.08:
            thought = _add_wrong_place(rng, sequence, thought, scene, sign)
        elif fault < 0.14:
            thought = _add_near_miss(rng, sequence, thought, scene, sign)
        add_zoom_call(lexicon, sequence, thought, box, target)
        add_crop(lexicon, sequence, scene, sign, shown_box(rng, scene, sign))
    return sequence


def shown_box(rng: random.Random, scene: scenes.Scene, sign: scenes.Sign) -> Shares:
    """The box of a sign as a model might have proposed it, its text whole."""
    box = turns.margin_box(sign.box, scene.picture.size)
    shown = turns.jitter(rng, box, rng.choice((0.0, 0.006, 0.012)))
    return shown if _holds_text(_cut_place(scene, shown), sign) else box


def _add_error(rng: random.Random, sequence: Sequence, thought: str, box: Shares) -> str:
    """A call that failed; returns the thought to go on with."""
    wrong = (box[2], box[1], box[0], box[3]) if rng.random() < 0.5 else (*box[:3], 1.2)
    sequence.add_assistant(turns.call_zoom(thought, wrong), is_learned=False)
    sequence.begin_user()
    reason = rng.choice(turns.ERRORS).format(box=list(wrong), number=rng.randint(2, 9))
    sequence.add_text(f"Execution error: {reason}")
    sequence.end_turn()
    return turns.AFTER_ERROR


def _add_wrong_place(
    rng: random.Random, sequence: Sequence, thought: str, scene: scenes.Scene, sign: scenes.Sign
) -> str:
    """A zoom that shows something else, mostly another sign; returns the thought to go on with."""
    others = [other for other in scene.signs if other is not sign]
    box = turns.margin_box(rng.choice(others or [sign]).box, scene.picture.size)
    if not others or rng.random() < 0.3:
        x, y = rng.uniform(0, 0.85), rng.uniform(0, 0.85)
        box = round(x, 2), round(y, 2), round(x + 0.14, 2), round(y + 0.14, 2)
    if not _add_failed_zoom(sequence, thought, scene, sign, box):
        return thought
    return turns.WRONG_PLACE.format(color=sign.color, shape=sign.shape)


def _add_near_miss(rng: random.Random, sequence: Sequence, thought: str, scene: scenes.Scene, sign: scenes.Sign) -> str:
    """A zoom that cuts the text off, as a box does that is a few hundredths too high; returns the thought to go on with."""
    x1, y1, x2, y2 = turns.margin_box(sign.box, scene.picture.size)
    along, share = rng.choice(("x", "y", "y")), rng.uniform(0.35, 0.8) * rng.choice((-1, 1))
    move_x, move_y = ((x2 - x1) * share, 0.0) if along == "x" else (0.0, (y2 - y1) * share)
    moved = (x1 + move_x, y1 + move_y, x2 + move_x, y2 + move_y)
    if min(moved) < 0 or max(moved) > 1:
        return thought
    box = round(moved[0], 2), round(moved[1], 2), round(moved[2], 2), round(moved[3], 2)
    return turns.CUT_OFF if _add_failed_zoom(sequence, thought, scene, sign, box) else thought


def _add_failed_zoom(sequence: Sequence, thought: str, scene: scenes.Scene, sign: scenes.Sign, box: Shares) -> bool:
    """An unlearned zoom and its crop; False, and nothing added, where it shows the sign's text."""
    view, size, place = cut(scene, box)
    if _holds_text(place, sign):
        return False
    sequence.add_assistant(turns.call_zoom(thought, box), is_learned=False)
    sequence.begin_user()
    sequence.add_text(f"Here is the cropped image (Image Size: {size[0]}x{size[1]}):")
    sequence.add_view(view)
    sequence.end_turn()
    return True


def ground_trace(rng: random.Random, lexicon: Lexicon, scene: scenes.Scene, count: int) -> Sequence:
    """Questions and calls only: where things are, which is cheaper than a trace."""
    sequence = lexicon.begin()
    sequence.begin_user()
    view = scene_view(scene)
    start = sequence.add_view(view)
    for number, sign in enumerate(rng.sample(scene.signs, min(count, len(scene.signs)))):
        if number:
            sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        box = turns.margin_box(sign.box, scene.picture.size)
        add_zoom_call(
            lexicon, sequence, turns.thought_for(sign, turns.ZOOM_PLAN), box, start + _token_of(view, scene, sign)
        )
    return sequence


def read_traces(rng: random.Random, lexicon: Lexicon, scene: scenes.Scene) -> list[Sequence]:
    """Each sign of a scene as a crop alone: the second half of a trace."""
    traces = []
    for sign in scene.signs:
        sequence = lexicon.begin()
        sequence.begin_user()
        sequence.add_text(questions.question_about(sign.color, sign.shape, rng))
        sequence.end_turn()
        add_crop(lexicon, sequence, scene, sign, shown_box(rng, scene, sign))
        traces.append(sequence)
    return traces


def strip_trace(rng: random.Random, lexicon: Lexicon) -> Sequence:
    """One text in the smallest crop that holds it: the cheapest way to learn to spell."""
    view, size, text, centers = tiles.draw_strip(rng)
    sequence = lexicon.begin()
    sequence.begin_user()
    sequence.add_text(f"Here is the cropped image (Image Size: {size[0]}x{size[1]}):")
    start = sequence.add_view(view)
    sequence.end_turn()
    turns.add_answer(lexicon, sequence, text, view, start, centers)
    return sequence
