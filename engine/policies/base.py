"""What a policy must offer, and nothing about how it does it: the values that pass between it and the loop, and the calls.

    Told, Recalled     what is said to it: a user turn; a turn of its own that was made elsewhere
    Turn               what it says: the text of one turn, and how it ended
    InLine             it has not begun to say it: others come first

The idea: a policy opens one conversation an attempt; whoever drives the loop (`engine.drivers`) adds to it what the loop
wants said and reads turns from it. Wire formats belong to the policy's protocol, tokens and caches to the conversation.
`Policy` answers while its caller waits, `AsyncPolicy` while the caller does something else; what the loop itself reads of
either is `Described`.

Invariant: text that was generated is remembered by the conversation word for word; nobody adds it again.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeGuard

from engine.media import Pictures
from engine.protocols import Part, PicturePart, WireProtocol
from engine.trace import Step

__all__ = [
    "AsyncConversation",
    "AsyncPolicy",
    "Conversation",
    "Described",
    "InLine",
    "Policy",
    "Recalled",
    "Said",
    "Told",
    "Turn",
    "Weighing",
    "asked_by",
    "can_weigh",
    "cpu_s_with",
    "is_awaited",
    "never",
    "one_after_another",
    "prepares",
]


@dataclass(frozen=True, slots=True)
class Told:
    """A user turn: what the model is shown and asked, or what came back. `system` only with a conversation's first."""

    parts: tuple[Part, ...]
    system: str | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """A turn of the model's that is not generated here: `text` is `step` as the protocol writes it."""

    step: Step
    text: str


Said = Told | Recalled


@dataclass(frozen=True, slots=True)
class Turn:
    """A generated turn. `is_complete` is false where it was cut off by the token limit, by cancelling, or because it
    `is_repetitive`: it said the same over and over. `log_probability` is the sum over its tokens of the natural logarithm
    of what the policy gave them, None where the policy does not tell."""

    text: str
    tokens: int
    is_complete: bool
    log_probability: float | None = None
    is_repetitive: bool = False


@dataclass(frozen=True, slots=True)
class InLine:
    """The turn has not begun: `before` others wait as well and come first."""

    before: int


class Conversation(Protocol):
    """One attempt's exchange with the model. Not thread-safe; call `close` when done, however it ended."""

    def add(self, said: Sequence[Said]) -> None:
        """Go on by turns that are not generated here, in order."""

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | InLine | Turn]:
        """The model's next turn in pieces of text, and last the whole `Turn`; before the first piece the place in line,
        each time that it changes, where there is one. `is_cancelled` is asked before every token."""

    def fork(self, seed: int | None) -> Self:
        """A conversation that goes on from here by itself, from `seed`, and shares what was computed."""

    def close(self) -> None: ...


class Weighing(Conversation, Protocol):
    """A conversation that tells how likely words are that it did not choose. Not every policy can."""

    def weigh(self, given: str, text: str) -> float:
        """The natural logarithm of the probability that the turn which is to be said goes on by `text` (not empty) when it
        began with `given`, at temperature 1: the sum over the tokens of `given + text` that reach into `text`. Nothing is
        said by it."""


class AsyncConversation(Protocol):
    """A `Conversation` whose turns are awaited."""

    def add(self, said: Sequence[Said]) -> None: ...

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncIterator[str | InLine | Turn]: ...

    async def close(self) -> None: ...


class Described(Protocol):
    """What can be known of a policy without asking it anything."""

    @property
    def name(self) -> str:
        """The name that its traces carry."""

    @property
    def protocol(self) -> WireProtocol: ...

    def settings(self) -> Mapping[str, Any]:
        """What a published number would depend on (pixel budgets, quantisation, adapter, sampling), as JSON."""

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        """(width, height) in pixels at which these pictures are shown to the model, given the pixel budget of each role:
        what an observation tells, and what a model's pixels are of."""


class Policy(Described, Protocol):
    def converse(self, pictures: Pictures, seed: int | None) -> Conversation:
        """A fresh conversation. A seed makes sampling repeatable; None is greedy where the policy can be."""

    def speak(
        self, conversations: Sequence[Any], max_tokens: Sequence[int], is_cancelled: Callable[[], bool]
    ) -> list[Turn]:
        """The next turn of each of these conversations, all of this policy, together where it can. `is_cancelled` is
        asked before every token."""


class AsyncPolicy(Described, Protocol):
    def converse(self, pictures: Pictures, seed: int | None) -> AsyncConversation:
        """As in `Policy`."""


def is_awaited(policy: Policy | AsyncPolicy) -> TypeGuard[AsyncPolicy]:
    """Whether its turns are awaited: such a policy has no `speak`."""
    return not hasattr(policy, "speak")


def asked_by(policy: Policy, asker: str) -> Policy:
    """The policy whose conversations stand in line in the name of `asker`; itself where it keeps no line."""
    named: Callable[[str], Policy] | None = getattr(policy, "asked_by", None)
    return policy if named is None else named(asker)


def can_weigh(conversation: Conversation | AsyncConversation) -> TypeGuard[Weighing]:
    """Whether it is one that weighs."""
    return hasattr(conversation, "weigh")


def prepares(policy: Policy) -> bool:
    """Whether pictures are seen elsewhere from when they are added, so that it is worth to begin some conversations while others
    speak."""
    return bool(getattr(policy, "is_preparing", False))


def cpu_s_with(policy: Policy) -> float:
    """CPU seconds of this process so far, and of those that work for the policy."""
    return time.process_time() + float(getattr(policy, "helpers_cpu_s", 0.0))


def never() -> bool:
    """The `is_cancelled` of whoever cannot be cancelled."""
    return False


def one_after_another(
    conversations: Sequence[Conversation], max_tokens: Sequence[int], is_cancelled: Callable[[], bool]
) -> list[Turn]:
    """`Policy.speak` of a policy that has one voice."""
    turns = []
    for conversation, most in zip(conversations, max_tokens, strict=True):
        *_, turn = conversation.generate(most, is_cancelled)
        assert isinstance(turn, Turn)  # the last that a conversation says
        turns.append(turn)
    return turns
