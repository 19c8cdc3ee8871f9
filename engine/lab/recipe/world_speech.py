"""How turns about miniature drawings are written: in pieces, each of which knows what is looked at while it is written.

Idea: attention is taught together with the words. A `Piece` names the token that it is read off; `say` turns a list of them
into a turn of the assistant's and into the pulls of attention that the loss compares with.

Invariant: a turn that is not learned carries neither labels nor pulls.

Not covered: which pieces make a thought (`world_thoughts`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from engine.lab.recipe.sequences import EARLY, LAST, LATE, Encode
from engine.lab.recipe.sequences import Sequence as Tokens
from engine.lab.recipe.world_poses import Pose
from engine.lab.recipe.world_views import Sight

__all__ = ["Eyes", "Piece", "Place", "Question", "Seen", "ask", "say"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a turn and what is looked at while it is written: `target` is one token, or, where it is copied, one for each
    of the piece's own.

    A `is_topic` piece is what is looked for from then on: whatever is read off a token later looks back at its end first.
    `last` is the place that was pointed at before this one. Pieces with `read_at` go from one to the next: each token then
    looks back at its own place. A piece with `back` is told from that which stands so many pieces before it."""

    text: str
    target: int | range | None = None
    read_at: int | None = None
    is_topic: bool = False
    back: int = 0
    last: int | None = None


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

    def order(self, point: tuple[float, float]) -> int:
        return self.sight.token(point) or 0

    @property
    def end(self) -> int | None:
        return self.start + self.sight.view.tokens


class Place(Protocol):
    """Where points of a frame lie in what is seen of it."""

    def at(self, point: tuple[float, float]) -> int | None: ...

    def named(self, point: tuple[float, float]) -> str: ...

    def order(self, point: tuple[float, float]) -> int:
        """By which places are gone through: the order of the view's tokens, so that each can see what came before."""
        ...

    @property
    def end(self) -> int | None:
        """The token after the view, which is looked at where there is nothing, or no more, to be found."""
        ...


Eyes = Callable[[int], Place | None]
"""eyes(frame) -> the view of it that the answer is read off."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question in a sequence: where its text begins, and where the last token of each option stands, by letter."""

    text: str
    start: int
    ends: Mapping[str, int]
    encode: Encode

    def at(self, span: tuple[int, int]) -> range:
        """The tokens of a part of its text."""
        first = self.start + len(self.encode(self.text[: span[0]]))
        return range(first, first + len(self.encode(self.text[span[0] : span[1]])))


def ask(sequence: Tokens, pose: Pose, suffix: str = "") -> Question:
    """The question and its options. An option's text looks at its letter, which can then be copied from there."""
    start = sequence.add_text(pose.question).start
    ends: dict[str, int] = {}
    for k, option in enumerate(pose.options):
        letter = chr(ord("A") + k)
        where = sequence.add_text(f"\n({letter}) {option}")
        ends[letter] = where.stop - 1
        sequence.pulls.append((where.stop - 1, where.start + 2, EARLY))
    if suffix:
        sequence.add_text(suffix)
    return Question(pose.question, start, ends, sequence.encode)


def say(sequence: Tokens, pieces: Sequence[Piece], is_learned: bool = True) -> None:
    """A whole turn of the assistant's."""
    sequence.add_text("<|im_start|>assistant\n")
    topic: int | None = None
    ends: list[int] = []
    for piece in pieces:
        where = sequence.add_text(piece.text, is_learned)
        if is_learned:
            tokens = range(where.start, where.stop)
            if piece.back:
                sequence.pulls.append((where.start - 1, ends[-piece.back], EARLY))
            if isinstance(piece.target, range):
                sequence.pulls += [(k - 1, target, LATE) for k, target in zip(tokens, piece.target, strict=True)]
            elif piece.target is not None:
                sequence.pulls += [(k - 1, piece.target, LATE) for k in tokens]
                if topic is not None:
                    sequence.pulls += [(k - 1, topic, EARLY) for k in tokens]
            if piece.last is not None:
                sequence.pulls += [(k - 1, piece.last, LAST) for k in tokens]
            if piece.read_at is not None:
                sequence.pulls += [(k, piece.read_at, EARLY) for k in tokens]
                topic = None  # what was just read says where to go on
        if piece.is_topic:
            topic = where.stop - 1
        ends.append(where.stop - 1)
    sequence.add_text("<|im_end|>", is_learned)
    sequence.add_text("\n")
