"""A server's policy for who waits for its turns: each conversation runs its own loop of events, in a thread of its own."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.media import Pictures
from engine.policies.base import Said, Turn
from engine.policies.server.policy import ServerConversation, ServerPolicy, next_or_none
from engine.protocols import PicturePart, WireProtocol

__all__ = ["BlockingServerPolicy", "beside"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class BlockingServerPolicy:
    """`awaited` for who waits for its turns; each conversation runs its own loop of events."""

    awaited: ServerPolicy

    @property
    def name(self) -> str:
        return self.awaited.name

    @property
    def protocol(self) -> WireProtocol:
        return self.awaited.protocol

    def settings(self) -> Mapping[str, Any]:
        return self.awaited.settings()

    def shown_sizes(self, shown: Sequence[PicturePart], pictures: Pictures) -> tuple[tuple[int, int], ...]:
        return self.awaited.shown_sizes(shown, pictures)

    def converse(self, pictures: Pictures, seed: int | None) -> _BlockingConversation:
        return _BlockingConversation(self.awaited.converse(pictures, seed))

    def speak(
        self,
        conversations: Sequence[_BlockingConversation],
        max_tokens: Sequence[int],
        is_cancelled: Callable[[], bool],
    ) -> list[Turn]:
        """All of them on the wire at once."""

        async def speak_all() -> list[Turn]:
            turns = [
                _turn(one.awaited, most, is_cancelled) for one, most in zip(conversations, max_tokens, strict=True)
            ]
            return list(await asyncio.gather(*turns))

        return beside(lambda: asyncio.run(speak_all()))


@dataclass(slots=True)
class _BlockingConversation:
    awaited: ServerConversation

    def add(self, said: Sequence[Said]) -> None:
        self.awaited.add(said)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | Turn]:
        with ThreadPoolExecutor(1) as thread, asyncio.Runner() as runner:
            pieces = self.awaited.generate(max_tokens, is_cancelled)
            try:
                while (piece := thread.submit(runner.run, next_or_none(pieces)).result()) is not None:
                    yield piece
            finally:
                thread.submit(runner.run, pieces.aclose()).result()
                thread.submit(runner.close).result()

    def fork(self, seed: int | None) -> _BlockingConversation:
        return _BlockingConversation(dataclasses.replace(self.awaited, seed=seed, messages=list(self.awaited.messages)))

    def close(self) -> None:
        """Nothing is held between turns."""


def beside(work: Callable[[], T]) -> T:
    """What `work` returns, done in a thread of its own: a notebook's loop of events may run in the caller's."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


async def _turn(conversation: ServerConversation, max_tokens: int, is_cancelled: Callable[[], bool]) -> Turn:
    async for piece in conversation.generate(max_tokens, is_cancelled):
        if isinstance(piece, Turn):
            return piece
    raise AssertionError("a conversation ends with its turn")
