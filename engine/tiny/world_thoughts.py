"""Turns about miniature drawings: what is asked, what is thought on the way to an answer, what is called.

Idea: what one look cannot tell is thought in steps, each of which is read off one place: an attribute is named before its
letter is looked up among the options; what is counted is pointed at one by one ("1 at (0.20, 0.35). It is 1.");
where two things lie is said before how they lie to each other. Attention is pulled to that place, and from the answer to the
option that says the same.

Invariant: texts are those that the protocol `studio` renders (`tests/tiny` compares them), thoughts around an operation
begin with the first template of `engine.synthesis.wording`.

Not covered: whole conversations (`world_pictures`, `world_clips`), nested zooms, zooming into a selected frame.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.miniature.drawing import Drawing, PixelBox
from engine.synthesis.regions import box_on
from engine.tiny import turns
from engine.tiny.sequences import EARLY, LATE
from engine.tiny.sequences import Sequence as Tokens
from engine.tiny.views import Shares
from engine.tiny.world_poses import Pose
from engine.tiny.world_views import Sight
from engine.trace import Box

TOO_SMALL = "It is too small to read. I will zoom in."
TOO_SMALL_IN_CLIP = "It is too small to read. I will select the frame."
LARGE_ENOUGH = "It is large enough."
HERE = "Here it is."
AGAIN = "That is not it. I will look again."
GUESSED_SHARE = 0.5
"""Of the hard questions whose operation is not carried out: left at a guess, so that the policy that training begins with
operates now and then only, as a general model does (paper, section 5), and a warm start and RL have something to teach."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a turn, and the token that is looked at while it is written. `is_read` pieces go from one to the next:
    each token then looks back at its own place."""

    text: str
    target: int | None = None
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A view in a sequence: its labels and places, and where its first token stands."""

    sight: Sight
    start: int

    def at(self, point: tuple[float, float]) -> int | None:
        token = self.sight.token(point)
        return None if token is None else self.start + token

    def named(self, point: tuple[float, float]) -> str:
        """A place as it is written."""
        x, y = (min(1.0, max(0.0, value)) for value in self.sight.share(point))
        return f"{x:.2f}, {y:.2f}"


class Place(Protocol):
    """Where points of a frame lie in what is seen of it."""

    def at(self, point: tuple[float, float]) -> int | None: ...

    def named(self, point: tuple[float, float]) -> str: ...


Eyes = Callable[[int], Place | None]
"""eyes(frame) -> the view of it that the answer is read off."""


def ask(sequence: Tokens, pose: Pose, suffix: str = "") -> dict[str, int]:
    """The question and its options; returns where the last token of each option stands, by letter. An option's text looks
    at its letter, which can then be copied from there."""
    sequence.add_text(pose.question)
    ends: dict[str, int] = {}
    for k, option in enumerate(pose.options):
        letter = chr(ord("A") + k)
        where = sequence.add_text(f"\n({letter}) {option}")
        ends[letter] = where.stop - 1
        sequence.pulls.append((where.stop - 1, where.start + 2, EARLY))
    if suffix:
        sequence.add_text(suffix)
    return ends


def say(sequence: Tokens, pieces: Sequence[Piece], is_learned: bool = True) -> None:
    """A whole turn of the assistant's."""
    sequence.add_text("<|im_start|>assistant\n")
    for piece in pieces:
        where = sequence.add_text(piece.text, is_learned)
        if piece.target is not None and is_learned:
            sequence.pulls += [(k - 1, piece.target, LATE) for k in range(where.start, where.stop)]
            if piece.is_read:
                sequence.pulls += [(k, piece.target, EARLY) for k in range(where.start, where.stop)]
    sequence.add_text("<|im_end|>", is_learned)
    sequence.add_text("\n")


def answer_pieces(pose: Pose, eyes: Eyes, ends: dict[str, int], opening: str) -> list[Piece]:
    """The thought that leads to the answer, and the answer."""
    thought = thought_pieces(pose, eyes, opening)
    if pose.form in ("read", "table") and not pose.options:
        spelled = _spelled(pose, -1, eyes)
        return [*thought, Piece(" \\boxed{"), *spelled, Piece("}")]
    return [*thought, Piece(" "), Piece("\\boxed{"), Piece(pose.answer, ends.get(pose.answer)), Piece("}")]


def thought_pieces(pose: Pose, eyes: Eyes, opening: str) -> list[Piece]:
    """What is thought before the answer. Raises ValueError where what is asked about is not in sight."""
    return [Piece(opening), *_reasoning(pose, eyes)]


def _reasoning(pose: Pose, eyes: Eyes) -> list[Piece]:
    """Everything that is said between the opening and the box. It ends with what the answer says."""
    if pose.form in ("color", "kind"):
        (thing,) = pose.things
        word = Piece(f" {pose.told}", _at(eyes, thing.frames, thing.center))
        return [Piece(" It is" if pose.form == "color" else " It is the"), word, Piece(".")]
    if pose.form in ("relative", "move"):
        first, second = pose.things
        one, two = (_placed(eyes, thing.frames, thing.center) for thing in pose.things)
        name = "then" if pose.form == "move" else second.kind
        return [Piece(f" {first.kind}"), *one, Piece("), "), Piece(name), *two, *_concluded(pose.told)]
    if pose.form == "count":
        if not pose.things:
            return [Piece(" None. It is"), Piece(" 0"), Piece(".")]
        pieces: list[Piece] = []
        for k, thing in enumerate(pose.things, 1):
            at = _at(eyes, thing.frames, thing.center)
            # The mark that comes next is looked for as soon as the last one is done with.
            pieces.append(Piece("), ", at) if pieces else Piece(" "))
            pieces += [Piece(str(k), at), *_placed(eyes, thing.frames, thing.center)]
        return [*pieces, *_concluded(pose.told)]
    if pose.form == "table":
        return [Piece(" Next to "), *_spelled(pose, 0, eyes), Piece(" it says")]
    if pose.options:
        return [Piece(" It says "), *_spelled(pose, -1, eyes), Piece(".")]
    return [Piece(" It says")]


def _concluded(told: str) -> list[Piece]:
    return [Piece("). "), Piece("It is"), Piece(f" {told}"), Piece(".")]


def _placed(eyes: Eyes, frames: tuple[int, ...], point: tuple[float, float]) -> list[Piece]:
    """The words " at (x, y", up to the bracket, read off the token at that place."""
    seen = _seen(eyes, frames)
    at = seen.at(point)
    x, y = seen.named(point).split(", ")
    return [Piece(" at (", at), Piece(x, at), Piece(", ", at), Piece(y, at)]


def _spelled(pose: Pose, which: int, eyes: Eyes) -> list[Piece]:
    line = pose.lines[which]
    return [
        Piece(letter, _at(eyes, line.frames, point), True)
        for letter, point in zip(line.text, line.centers, strict=True)
    ]


def _seen(eyes: Eyes, frames: tuple[int, ...]) -> Place:
    for frame in frames:
        seen = eyes(frame)
        if seen is not None:
            return seen
    raise ValueError(f"none of the frames {frames} is in sight")


def _at(eyes: Eyes, frames: tuple[int, ...], point: tuple[float, float]) -> int | None:
    return _seen(eyes, frames).at(point)


def zoom_pieces(thought: str, box: Shares, target: int | None) -> list[Piece]:
    pieces = [Piece(thought), Piece('<tool_call>{"name": "zoom_in", "arguments": {"bbox_2d": [')]
    for k, edge in enumerate(box):
        pieces += [Piece(", ")] if k else []
        pieces.append(Piece(f"{edge:.2f}", target))
    return [*pieces, Piece('], "target_image": 1}}</tool_call>')]


def select_pieces(thought: str, targets: Sequence[tuple[int, int | None]]) -> list[Piece]:
    """`targets` are the frames to select and the tokens that show why."""
    pieces = [Piece(thought), Piece('<tool_call>{"name": "select_frames", "arguments": {"target_frames": [')]
    for k, (frame, target) in enumerate(targets):
        pieces += [Piece(", ")] if k else []
        pieces.append(Piece(str(frame), target))
    return [*pieces, Piece("]}}</tool_call>")]


def shown_box(drawing: Drawing, box: PixelBox) -> Shares:
    """The box to propose: as a synthesised trajectory does."""
    width, height = drawing.frames[0].size
    found = box_on(Box(box[0] / width, box[1] / height, box[2] / width, box[3] / height))
    return found.x1, found.y1, found.x2, found.y2


def guess_at(rng: random.Random, pose: Pose) -> str:
    """What can be said without looking closer: any of the options is as good."""
    return turns.guess(rng.choice("ABCD") if pose.options else pose.answer)
