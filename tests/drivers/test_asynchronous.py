"""Turns that are awaited: many conversations on the wire at once, and none left open."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from engine.drivers.asynchronous import run_async, stream_async
from engine.drivers.together import Prompt
from engine.policies.base import Turn
from engine.reasoning import Finished, Thinking
from tests.drivers.asking import Awaited, AwaitedConversation, Noted, awaited
from tests.drivers.cases import ANSWER, PICTURE, PICTURES, ZOOM

TWO_TURNS = (f"I look.{ZOOM}", ANSWER)


def run(policy: Awaited, prompts: list[Prompt], at_once: int) -> list:
    async def collect() -> list:
        return [ended async for ended in run_async(policy, prompts, at_once=at_once)]

    return awaited(collect())


class Meeting(AwaitedConversation):
    """Speaks only when as many others speak as are expected: who is served one by one never answers."""

    barrier: asyncio.Barrier

    async def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncIterator[str | Turn]:
        await self.barrier.wait()
        async for piece in AwaitedConversation.generate(self, max_tokens, is_cancelled):
            yield piece


def test_they_are_on_the_wire_at_once():
    barrier = asyncio.Barrier(3)

    class MeetingPolicy(Awaited):
        def converse(self, pictures, seed):
            conversation = Meeting(self.policy.converse(pictures, seed))
            conversation.barrier = barrier
            return conversation

    found = run(MeetingPolicy(Noted(TWO_TURNS)), [Prompt(PICTURE, PICTURES, (1, 2)), Prompt(PICTURE, PICTURES)], 3)
    assert sorted((prompt, rollout) for prompt, rollout, _ in found) == [(0, 0), (0, 1), (1, 0)]
    assert {finished.trace.answer for *_, finished in found} == {"KX7421"}


def test_at_most_so_many_are_open():
    policy, most = Noted(TWO_TURNS), []

    class Few(Awaited):
        def converse(self, pictures, seed):
            conversation = super().converse(pictures, seed)
            most.append(sum(not one.is_closed for one in policy.made))
            return conversation

    assert len(run(Few(policy), [Prompt(PICTURE, PICTURES)] * 5, 2)) == 5
    assert max(most) == 2
    assert all(one.is_closed for one in policy.made)


class Broken(AwaitedConversation):
    async def generate(self, max_tokens: int, is_cancelled: Callable[[], bool]) -> AsyncIterator[str | Turn]:
        yield "I"
        raise ConnectionError("the line is cut")


class BrokenPolicy(Awaited):
    def converse(self, pictures, seed):
        return Broken(self.policy.converse(pictures, seed))


def test_a_broken_line_is_a_finished_trace_and_then_an_error():
    policy, notices = Noted(TWO_TURNS), []

    async def collect() -> None:
        async for notice in stream_async(BrokenPolicy(policy), PICTURE, PICTURES):
            notices.append(notice)

    with pytest.raises(ConnectionError):
        awaited(collect())
    assert [type(notice) for notice in notices[1:]] == [Thinking, Finished]
    assert notices[-1].trace.stop_reason == "failed"
    with pytest.raises(ConnectionError):
        run(BrokenPolicy(policy), [Prompt(PICTURE, PICTURES)] * 3, 2)
    assert all(one.is_closed for one in policy.made)


def test_whoever_is_cancelled_leaves_nothing_open():
    policy = Noted(("one two three " * 100,))

    async def cancel() -> None:
        task = asyncio.create_task(anext(run_async(Awaited(policy), [Prompt(PICTURE, PICTURES)] * 2, at_once=2)))
        while len(policy.made) < 2:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    awaited(cancel())
    assert policy.made and all(one.is_closed for one in policy.made)
