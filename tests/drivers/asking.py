"""Policies to drive the loop with: a script that notes what it was told, in this thread or awaited."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from engine.media import Pictures
from engine.policies.base import Recalled, Said, Turn
from engine.policies.scripted import ScriptedConversation, ScriptedPolicy
from tests.drivers.cases import told_as_json


def awaited(work: Coroutine[Any, Any, Any]) -> Any:
    """What `work` comes to, run in a thread of its own: a browser that other tests opened has a loop in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


class Noting(ScriptedConversation):
    """Keeps what it was told, as tests/drivers/golden.json counts it, and whether it was closed."""

    told: list[Any]
    is_closed = False

    def add(self, said: Sequence[Said]) -> None:
        for one in said:
            is_model = isinstance(one, Recalled)
            self.told.append(["model", one.text] if is_model else told_as_json(one.system, one.parts))
        ScriptedConversation.add(self, said)

    def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> Iterator[str | Turn]:
        yield from ScriptedConversation.generate(self, max_tokens, is_cancelled)

    def fork(self, seed: int | None) -> Noting:
        forked = copy.copy(self)
        forked.told = list(self.told)
        return forked

    def close(self) -> None:
        self.is_closed = True


@dataclass(frozen=True)
class Noted(ScriptedPolicy):
    """`made` are its conversations, in order."""

    name: str = "watched"
    made: list[Noting] = field(default_factory=list)

    def converse(self, pictures: Pictures, seed: int | None) -> Noting:
        conversation = Noting(self.protocol, self.turns, 0.0)
        conversation.told = []
        self.made.append(conversation)
        return conversation


@dataclass
class AwaitedConversation:
    """A `Noting` whose words come when the event loop lets them."""

    inner: Noting

    def add(self, said: Sequence[Said]) -> None:
        self.inner.add(said)

    async def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncIterator[str | Turn]:
        for piece in self.inner.generate(max_tokens, is_cancelled):
            await asyncio.sleep(0)
            yield piece

    async def close(self) -> None:
        self.inner.close()


@dataclass(frozen=True)
class Awaited:
    """The same policy, awaited."""

    policy: Noted

    def __getattr__(self, name: str) -> Any:
        return getattr(self.policy, name)

    def converse(self, pictures: Pictures, seed: int | None) -> AwaitedConversation:
        return AwaitedConversation(self.policy.converse(pictures, seed))
