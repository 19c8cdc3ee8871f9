"""A trace as a conversation, once for every format that is made of messages.

    system -> user (pictures, question) -> (assistant -> observation)* -> assistant

The idea: the protocols (`engine.protocols`) have the words, names, numbers and coordinates of a family; here they are put
in order, with what formats ask beside the text: which step a turn is, its call as a name and arguments, whether it should
be learned. Formats differ in the protocol that they ask for and in how they write a turn down. `PLAIN` is for those that
belong to no family (`engine.exchange.plain`).

Invariants: every text is escaped (`engine.exchange.placeholders`), so placeholders stand for pictures alone; a turn of the
assistant holds no picture. Sizes that an observation tells are those of the picture files, at full resolution.

Not covered: tokens, and the pictures' files (`engine.exchange.sheet`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from engine.exchange.placeholders import escaped_attempt
from engine.lessons import carries_loss, is_finished
from engine.protocols import Part, PicturePart, TextPart, WireProtocol
from engine.protocols.calls import CALL_END, CALL_START, Call, call_of, last_call, read_object
from engine.store import Dossier
from engine.trace import Step, View, ZoomIn, first_views, shown_before, view_size

__all__ = ["CUT_OFF", "Conversation", "Role", "Turn", "conversation", "is_shown_with_padding", "without_call"]

CUT_OFF = "turns that were cut off, which read as answers"

Role = Literal["system", "user", "assistant", "observation"]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message. `step` is what the assistant did, `index` (from 0) which step it or its observation belongs to; `call` is
    its operation by the protocol's names, where the protocol calls by JSON; `has_loss` says that it should be learned."""

    role: Role
    parts: tuple[Part, ...]
    index: int | None = None
    step: Step | None = None
    call: Call | None = None
    has_loss: bool = False

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    @property
    def views(self) -> tuple[View, ...]:
        return tuple(part.view for part in self.parts if isinstance(part, PicturePart))

    @property
    def is_error(self) -> bool:
        return self.role == "observation" and not self.views


@dataclass(frozen=True, slots=True)
class Conversation:
    """The turns, and how many texts had to be escaped."""

    turns: tuple[Turn, ...]
    escaped: int

    @property
    def cut_off(self) -> int:
        """How many of the assistant's turns end with neither a call nor an answer."""
        return sum(turn.step is not None and not is_finished(turn.step) for turn in self.turns)


def conversation(dossier: Dossier, protocol: WireProtocol) -> Conversation:
    """The head of a dossier as it is said in a protocol. Raises InvalidInput where the protocol cannot write a step."""
    trace, example, count = escaped_attempt(dossier.trace, dossier.example)
    opening = trace.views[: len(first_views(trace.media))]
    is_operating = trace.invites_operations
    system = protocol.system(opening, is_operating)
    turns = [] if system is None else [Turn("system", (TextPart(system),))]
    turns.append(Turn("user", protocol.opening(example.question, example.options, opening, is_operating)))
    for index, (step, shown) in enumerate(zip(trace.steps, shown_before(trace.views, trace.steps), strict=True)):
        text = protocol.render(step, trace.views[:shown], trace.media)
        call = _call(text) if step.operation is not None else None
        turns.append(Turn("assistant", (TextPart(text),), index, step, call, carries_loss(step)))
        if step.observation is not None:
            sizes = [view_size(trace.view(number), trace.media) for number in step.observation.views]
            parts = protocol.observation(step.observation, trace.views, trace.media, sizes)
            turns.append(Turn("observation", parts, index))
    return Conversation(tuple(turns), count)


def _call(text: str) -> Call | None:
    found = last_call(text, CALL_START, CALL_END)
    if found is None:
        return None
    before, body, is_closed = found
    return call_of(before.strip(), read_object(body, is_closed), body)


def without_call(turn: Turn) -> str:
    """What a turn says beside its call: all of it where there is none."""
    return turn.text if turn.call is None else turn.call.thought


def is_shown_with_padding(step: Step, views: Sequence[View], padding: float) -> bool:
    """Whether the crop that a zoom brought is its box with `padding` on every side, as a share of the view, cut off at the
    view's edges; True for a step that brought none."""
    zoom, observation = step.operation, step.observation
    if not isinstance(zoom, ZoomIn) or observation is None or not observation.views:
        return True
    box, outer = zoom.box, views[zoom.view - 1].box
    asked = type(box)(
        max(0.0, box.x1 - padding), max(0.0, box.y1 - padding), min(1.0, box.x2 + padding), min(1.0, box.y2 + padding)
    )
    shown, expected = views[observation.views[0] - 1].box.as_list(), asked.within(outer).as_list()
    return all(abs(one - other) < 1e-6 for one, other in zip(shown, expected, strict=True))
