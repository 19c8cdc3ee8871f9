"""What a policy must offer to `engine.reasoning.reason`, and nothing about how it does it.

The idea: a policy opens one `Conversation` an attempt; the loop appends user turns to it and reads the model's turns from
it, as text. Wire formats belong to the policy's protocol, tokens and caches to the conversation.

Invariant: text that `generate` produced is remembered by the conversation word for word; the loop never feeds it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from engine.media import Pictures
from engine.protocols import Part, WireProtocol
from engine.trace import View

__all__ = ["Conversation", "Policy", "Turn", "never"]


@dataclass(frozen=True, slots=True)
class Turn:
    """How a generated turn ended. `is_complete` is false where it was cut off by the token limit or by cancelling;
    `log_probability` is the sum over its tokens of the natural logarithm of what the policy gave them, None where the
    policy does not tell."""

    tokens: int
    is_complete: bool
    log_probability: float | None = None


class Conversation(Protocol):
    """One attempt's exchange with the model. Not thread-safe; call `close` when done, however it ended."""

    last_turn: Turn

    def append(self, parts: Sequence[Part], *, system: str | None = None) -> None:
        """Add a user turn; `system` only with the first."""

    def recall(self, text: str) -> None:
        """Add a turn of the model's that was generated elsewhere or edited by a person."""

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str]:
        """The model's next turn in pieces of text; sets `last_turn` when exhausted. `is_cancelled` is asked before
        every token."""

    def shown_sizes(self, views: Sequence[View]) -> tuple[tuple[int, int], ...]:
        """(width, height) in pixels at which pictures of these views would be shown, given the pixel budgets; selected
        frames and crops only."""

    def close(self) -> None: ...


class Policy(Protocol):
    @property
    def name(self) -> str:
        """The name that its traces carry."""

    @property
    def protocol(self) -> WireProtocol: ...

    def settings(self) -> Mapping[str, Any]:
        """What a published number would depend on (pixel budgets, quantisation, adapter, sampling), as JSON."""

    def converse(self, pictures: Pictures, seed: int | None) -> Conversation:
        """A fresh conversation. A seed makes sampling repeatable; None is greedy where the policy can be."""


def never() -> bool:
    """The `is_cancelled` of whoever cannot be cancelled."""
    return False
