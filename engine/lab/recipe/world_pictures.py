"""Conversations on miniature pictures: answers from the first view, calls, answers from crops, whole traces.

Idea: easy questions are answered at once and hard ones by an operation, side by side on one picture, so that it is the size
that decides and nothing else.

Invariant: calls that went wrong carry no labels. Not covered: what is said (`world_thoughts`).
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from engine.lab.recipe import turns, world_views
from engine.lab.recipe.sequences import Sequence as Tokens
from engine.lab.recipe.turns import Lexicon
from engine.lab.recipe.views import Shares
from engine.lab.recipe.world_poses import Pose
from engine.lab.recipe.world_speech import Eyes, Piece, Question, Seen, ask, say
from engine.lab.recipe.world_thoughts import (
    AGAIN,
    CLOSER,
    GUESSED_SHARE,
    HERE,
    LARGE_ENOUGH,
    answer_pieces,
    box_in_crop,
    closer_trace,
    guess_at,
    look_pieces,
    shown_box,
    wide_box,
    zoom_pieces,
)
from engine.lab.recipe.world_views import Sight
from engine.lab.world.miniature.drawing import Drawing

__all__ = ["crop_trace", "picture_trace", "show_crop"]

ELSEWHERE_SHARE, WIDE_SHARE = 0.08, 0.12
"""Of the traces: those that look at a wrong place first, or at too much of it."""


def _middle(box: tuple[float, float, float, float]) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _crop_for(rng: random.Random, drawing: Drawing, pose: Pose) -> Sight:
    """The crop that a model might have asked for; it holds all that is asked about."""
    box = shown_box(drawing, pose.box)
    sight = world_views.crop(drawing, turns.jitter(rng, box, rng.choice((0.0, 0.006, 0.012, 0.018))))
    return sight if sight.holds(pose.box) else world_views.crop(drawing, box)


def _always(seen: Seen) -> Eyes:
    return lambda _: seen


def show_crop(sequence: Tokens, sight: Sight) -> Seen:
    sequence.begin_user()
    sequence.add_text(f"Here is the cropped image (Image Size: {sight.size[0]}x{sight.size[1]}):")
    start = sequence.add_view(sight.view)
    sequence.end_turn()
    return Seen(sight, start)


def picture_trace(
    rng: random.Random,
    lexicon: Lexicon,
    drawing: Drawing,
    poses: Sequence[Pose],
    is_shown: bool = True,
    guessed_share: float = GUESSED_SHARE,
) -> Tokens:
    """Questions on one picture: easy ones answered at once, hard ones by zooming in (or, where the crop is not shown, a
    `guessed_share` of them by a guess); sometimes a wrong place first."""
    sequence = lexicon.begin()
    sequence.begin_user()
    sight = world_views.whole(drawing)
    first = Seen(sight, sequence.add_view(sight.view))
    for number, pose in enumerate(poses):
        if number:
            sequence.begin_user()
        is_operating = rng.random() > 0.06
        question = ask(sequence, pose, "" if is_operating else turns.NO_OPERATIONS)
        sequence.end_turn()
        if pose.difficulty == "easy":
            say(sequence, answer_pieces(pose, _always(first), question, LARGE_ENOUGH))
            continue
        if not is_operating or (not is_shown and rng.random() < guessed_share):
            say(sequence, [Piece(guess_at(rng, pose))])
            continue
        error = rng.random() if is_shown else 1.0
        wide = wide_box(rng, drawing, pose.box) if error < WIDE_SHARE else None
        if wide is not None:
            _zoom_in_twice(sequence, drawing, pose, question, wide)
            continue
        thought = look_pieces(pose, question)
        if 0 <= error - WIDE_SHARE < ELSEWHERE_SHARE and _look_elsewhere(rng, sequence, drawing, pose):
            thought = [Piece(AGAIN)]
        say(sequence, zoom_pieces(thought, shown_box(drawing, pose.box), first.at(_middle(pose.box))))
        if is_shown:
            close = show_crop(sequence, _crop_for(rng, drawing, pose))
            say(sequence, answer_pieces(pose, _always(close), question, HERE))
    return sequence


def _zoom_in_twice(sequence: Tokens, drawing: Drawing, pose: Pose, question: Question, wide: Shares) -> None:
    """A crop that shows too much, which is read and never learned, and a zoom into it."""
    say(sequence, zoom_pieces(look_pieces(pose), wide, None), is_learned=False)
    outer = show_crop(sequence, world_views.crop(drawing, wide, is_wide=True))
    inner = box_in_crop(drawing, pose.box, wide)
    say(sequence, zoom_pieces([Piece(CLOSER)], inner, outer.at(_middle(pose.box)), len(sequence.views)))
    left, top, right, bottom = wide
    x1, y1, x2, y2 = inner
    across, down = right - left, bottom - top
    close = left + x1 * across, top + y1 * down, left + x2 * across, top + y2 * down
    seen = show_crop(sequence, world_views.crop(drawing, close))
    say(sequence, answer_pieces(pose, _always(seen), question, HERE))


def _look_elsewhere(rng: random.Random, sequence: Tokens, drawing: Drawing, pose: Pose) -> bool:
    """A zoom on another tray, or anywhere, which is read and never learned; False where that happens to be the right place."""
    boxes = [thing.box for thing in drawing.things if thing.role in ("tray", "panel") and thing.box != pose.box]
    if boxes and rng.random() < 0.7:
        left, top, right, bottom = (round(edge) for edge in rng.choice(boxes))
        box = shown_box(drawing, (left, top, right, bottom))
    else:
        x, y = rng.uniform(0, 0.85), rng.uniform(0, 0.85)
        box = round(x, 2), round(y, 2), round(x + 0.12, 2), round(y + 0.12, 2)
    sight = world_views.crop(drawing, box)
    if sight.holds(pose.box):
        return False
    say(sequence, zoom_pieces(look_pieces(pose), box, None), is_learned=False)
    show_crop(sequence, sight)
    return True


def crop_trace(rng: random.Random, lexicon: Lexicon, drawing: Drawing, poses: Sequence[Pose]) -> Tokens:
    """A crop alone and what can be asked of it. The poses share their box."""
    return closer_trace(
        lexicon, poses, lambda sequence: _always(show_crop(sequence, _crop_for(rng, drawing, poses[0])))
    )
