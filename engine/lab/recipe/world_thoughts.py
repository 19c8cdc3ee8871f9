"""Turns about miniature drawings: what is asked, what is thought on the way to an answer, what is called.

Idea: a thought first says again what is looked for (`world_subjects`), then what one look cannot tell in steps, each of
which is read off one place: an attribute is named before its letter is looked up among the options; what is counted is
pointed at one by one ("the stars: 1 at (0.20, 0.35). It is 1."); where two things lie is said before how they lie to each
other, and each number of the second is compared with the first's as soon as it is written ("the cup at (0.41, 0.50), seen from
the key at (0.40 again, 0.66 above). It is above."), since four layers compare only what stands close together. While a step is
written, attention is pulled in an early layer to what is looked for, in counting also to what was pointed at last, and in the
later ones to where it is; to the end of the view where there is nothing, or nothing more, to be found; and from the answer to
the option that says the same.

Invariant: texts are those that the protocol `studio` renders (`tests/lab/recipe` compares them).

Not covered: whole conversations (`world_pictures`, `world_clips`), zooming into a selected frame.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from engine.lab.recipe import turns
from engine.lab.recipe.sequences import Sequence as Tokens
from engine.lab.recipe.turns import Lexicon
from engine.lab.recipe.views import Shares
from engine.lab.recipe.world_poses import Pose
from engine.lab.recipe.world_speech import Eyes, Piece, Place, Question, ask, say
from engine.lab.recipe.world_subjects import Said, other_of, subject_of, where_of
from engine.lab.world.miniature.drawing import Drawing, PixelBox
from engine.synthesis.regions import box_around, box_on, box_within, can_surround
from engine.trace import Box

__all__ = [
    "AGAIN",
    "CLOSER",
    "GUESSED_SHARE",
    "HERE",
    "LARGE_ENOUGH",
    "answer_pieces",
    "box_in_crop",
    "closer_trace",
    "guess_at",
    "look_pieces",
    "select_pieces",
    "shown_box",
    "thought_pieces",
    "wide_box",
    "zoom_pieces",
]

TOO_SMALL = "It is too small to read"
ZOOM_PLAN, SELECT_PLAN = ". I will zoom in.", ". I will select the frame."
LARGE_ENOUGH = "It is large enough."
HERE = "Here it is."
AGAIN = "That is not it. I will look again."
CLOSER = "It is still too small to read. I will zoom in."
AS_BEFORE = "again"
"""How a number is told that is about the one before."""
GUESSED_SHARE = 0.35
"""Of the hard questions whose operation is not carried out: left at a guess, so that the policy that training begins with
operates now and then only, as a general model does (paper, section 5), and a warm start and RL have something to teach."""


def closer_trace(lexicon: Lexicon, poses: Sequence[Pose], show: Callable[[Tokens], Eyes]) -> Tokens:
    """The second half of a trace alone: what `show` adds to the sequence, after the first question, and the answers to all."""
    sequence = lexicon.begin()
    eyes: Eyes | None = None
    for pose in poses:
        sequence.begin_user()
        question = ask(sequence, pose)
        sequence.end_turn()
        eyes = eyes or show(sequence)
        say(sequence, answer_pieces(pose, eyes, question, HERE))
    return sequence


def answer_pieces(pose: Pose, eyes: Eyes, question: Question, opening: str) -> list[Piece]:
    """The thought that leads to the answer, and the answer."""
    thought = thought_pieces(pose, eyes, opening, question)
    if pose.form in ("read", "table") and not pose.options:
        return [*thought, Piece(" \\boxed{"), *_spelled(pose, eyes), Piece("}")]
    return [*thought, Piece(" "), Piece("\\boxed{"), Piece(pose.answer, question.ends.get(pose.answer)), Piece("}")]


def thought_pieces(pose: Pose, eyes: Eyes, opening: str, question: Question | None = None) -> list[Piece]:
    """What is thought before the answer. Raises ValueError where what is asked about is not in sight."""
    return [Piece(opening), *_reasoning(pose, eyes, question)]


def _reasoning(pose: Pose, eyes: Eyes, question: Question | None) -> list[Piece]:
    """Everything that is said between the opening and the box. It ends with what the answer says."""
    subject = _copied(subject_of(pose.question), question)
    if pose.form in ("color", "kind"):
        (thing,) = pose.things
        return [*subject, Piece(f" {pose.told}", _at(eyes, thing.frames, thing.center), is_topic=True), Piece(".")]
    if pose.form in ("relative", "move"):
        one, two = (_placed(eyes, thing.frames, thing.center) for thing in pose.things)
        between = [Piece("), "), Piece("then")]
        if pose.form == "relative":
            between = [Piece("), "), Piece("seen from the"), *_copied((other_of(pose.question),), question)]
        return [
            *subject,
            *one,
            *between,
            *_compared(two, pose.told, len(between)),
            *_concluded(pose.told, 6 if _is_across(pose.told) else 3),
        ]
    if pose.form == "count":
        return [*subject, *_counted(pose, eyes)]
    if pose.form == "table":
        # The label is copied from the question, each of its letters looks at its like in the table, and where that is
        # tells the row: as a place in words, it is there to be looked back at when the number is read.
        label = pose.lines[0]
        (start, _), begins = subject_of(pose.question)[-1].span or (0, 0), subject[:-1]
        spelled = []
        for k, (letter, point) in enumerate(zip(label.text, label.centers, strict=True)):
            copied = None if question is None else question.at((start + 1 + k, start + 2 + k))
            is_last = k + 1 == len(label.text)
            spelled.append(Piece(letter, copied, _at(eyes, label.frames, point), is_topic=is_last))
        *place, row = _placed(eyes, label.frames, label.centers[len(label.centers) // 2])
        return [*begins, *spelled, *place, replace(row, is_topic=True), Piece("). "), Piece("It says")]
    if pose.options:
        return [*subject, Piece(" "), *_spelled(pose, eyes), Piece(".")]
    return subject


def _copied(parts: Sequence[Said], question: Question | None) -> list[Piece]:
    """The parts of a thought that says something of the question again; the last copied one is the topic."""
    last = max((k for k, part in enumerate(parts) if part.span), default=None)
    return [
        Piece(part.text, question.at(part.span) if question and part.span else None, is_topic=k == last)
        for k, part in enumerate(parts)
    ]


def _counted(pose: Pose, eyes: Eyes) -> list[Piece]:
    if pose.told == "0":
        frame = pose.frames[0] if pose.frames else 1
        return [Piece(" None", _seen(eyes, (frame,)).end), Piece(". It is"), Piece(" 0", is_topic=True), Piece(".")]
    seen = _seen(eyes, pose.things[0].frames)
    pieces: list[Piece] = []
    last: int | None = None
    for k, thing in enumerate(sorted(pose.things, key=lambda one: seen.order(one.center)), 1):
        # The mark that comes next is looked for as soon as the last one is done with, and from there.
        at = seen.at(thing.center)
        pointing = [Piece("), " if pieces else " ", at), Piece(str(k), at), *_placed(eyes, thing.frames, thing.center)]
        pieces += [replace(piece, last=last) for piece in pointing]
        last = at
    ended, *told = _concluded(pose.told, 7, seen.end)
    return [*pieces, replace(ended, last=last), *told]


def _concluded(told: str, back: int, end: int | None = None) -> list[Piece]:
    """What was found, as it was said `back` pieces before."""
    return [Piece("). ", end), Piece("It is"), Piece(f" {told}", is_topic=True, back=back), Piece(".")]


def _placed(eyes: Eyes, frames: tuple[int, ...], point: tuple[float, float]) -> list[Piece]:
    """The words " at (x, y", up to the bracket, read off the token at that place."""
    seen = _seen(eyes, frames)
    at = seen.at(point)
    x, y = seen.named(point).split(", ")
    return [Piece(" at (", at), Piece(x, at), Piece(", ", at), Piece(y, at)]


def _compared(place: Sequence[Piece], told: str, between: int) -> list[Piece]:
    """The words of a second place, each number with how it is to the first's, which stands `between` pieces before them."""
    opening, x, comma, y = place
    back = len(place) + between + 1
    across, down = (told, AS_BEFORE) if _is_across(told) else (AS_BEFORE, told)
    return [opening, x, Piece(f" {across}", back=back), comma, y, Piece(f" {down}", back=back + 1)]


def _is_across(told: str) -> bool:
    return told in ("left", "right")


def _spelled(pose: Pose, eyes: Eyes) -> list[Piece]:
    """The answer's text, each character read off its place."""
    line = pose.lines[-1]
    places = [_at(eyes, line.frames, point) for point in line.centers]
    return [Piece(letter, at, at) for letter, at in zip(line.text, places, strict=True)]


def _seen(eyes: Eyes, frames: tuple[int, ...]) -> Place:
    for frame in frames:
        seen = eyes(frame)
        if seen is not None:
            return seen
    raise ValueError(f"none of the frames {frames} is in sight")


def _at(eyes: Eyes, frames: tuple[int, ...], point: tuple[float, float]) -> int | None:
    return _seen(eyes, frames).at(point)


def look_pieces(pose: Pose, question: Question | None = None) -> list[Piece]:
    """What is thought before the first operation."""
    where = _copied(where_of(pose.question), question)
    return [Piece(TOO_SMALL), *where, Piece(SELECT_PLAN if pose.frames else ZOOM_PLAN)]


def zoom_pieces(thought: Sequence[Piece], box: Shares, target: int | None, view: int = 1) -> list[Piece]:
    pieces = [*thought, Piece('<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [')]
    for k, edge in enumerate(box):
        pieces += [Piece(", ")] if k else []
        pieces.append(Piece(f"{edge:.2f}", target))
    return [*pieces, Piece(f'], "target_image": {view}}}}}</tool_call>')]


def select_pieces(thought: Sequence[Piece], targets: Sequence[tuple[int, int | None]]) -> list[Piece]:
    """`targets` are the frames to select and the tokens that show why."""
    pieces = [*thought, Piece('<tool_call>{"name": "select_frames", "arguments": {"target_frames": [')]
    for k, (frame, target) in enumerate(targets):
        pieces += [Piece(", ")] if k else []
        pieces.append(Piece(str(frame), target))
    return [*pieces, Piece("]}}</tool_call>")]


def shown_box(drawing: Drawing, box: PixelBox) -> Shares:
    """The box to propose: as a synthesised trajectory does."""
    found = box_on(_relative(drawing, box))
    return found.x1, found.y1, found.x2, found.y2


def wide_box(rng: random.Random, drawing: Drawing, box: PixelBox) -> Shares | None:
    """A crop that holds the box and shows too much, as a synthesised trajectory errs; None where the box is too large."""
    cue = _relative(drawing, box)
    if not can_surround(cue, 0.0):
        return None
    found = box_around(cue, rng)
    return found.x1, found.y1, found.x2, found.y2


def box_in_crop(drawing: Drawing, box: PixelBox, outer: Shares) -> Shares:
    """The box to propose in a crop."""
    found = box_within(_relative(drawing, box), Box(*outer))
    return found.x1, found.y1, found.x2, found.y2


def _relative(drawing: Drawing, box: PixelBox) -> Box:
    width, height = drawing.frames[0].size
    return Box(box[0] / width, box[1] / height, box[2] / width, box[3] / height)


def guess_at(rng: random.Random, pose: Pose) -> str:
    """What can be said without looking closer: any of the options is as good."""
    return turns.guess(rng.choice("ABCD") if pose.options else pose.answer)
