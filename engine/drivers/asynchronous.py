"""Attempts whose turns are awaited: a policy behind HTTP, with many conversations on the wire at once.

The idea: as `streaming` and `together`, for an `AsyncPolicy`. A server batches what it is sent, so each attempt goes at its
own pace and nobody waits for a round.

Invariants: cancelling the task, or closing the iterator, closes the conversation; what keeps the policy from speaking is
thrown into the loop, so that the last notice is `Finished` before it is raised.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing

from engine.drivers.together import Prompt
from engine.media import Pictures
from engine.policies.base import AsyncPolicy, InLine, Turn, never
from engine.reasoning import Finished, Limits, Notice, Request, Waiting, reason
from engine.trace import Example, Trace

__all__ = ["run_async", "stream_async"]


async def stream_async(
    policy: AsyncPolicy,
    example: Example,
    pictures: Pictures,
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    seed: int | None = None,
    earlier: Trace | None = None,
) -> AsyncGenerator[Notice, None]:
    """As `engine.drivers.streaming.stream`."""
    conversation = policy.converse(pictures, seed)
    loop = reason(
        policy, example, pictures, limits, is_operating=is_operating, is_cancelled=is_cancelled, earlier=earlier
    )
    try:
        news = next(loop, None)
        while news is not None:
            if not isinstance(news, Request):
                yield news
                news = next(loop, None)
                continue
            turn: Turn | None = None
            try:
                conversation.add(news.said)
                text = ""
                async for piece in conversation.generate(news.max_tokens, is_cancelled):
                    if isinstance(piece, Turn):
                        turn = piece
                    elif isinstance(piece, InLine):
                        yield Waiting(news.index, piece.before)
                    else:
                        text += piece
                        yield news.thinking(text)
            except Exception as error:
                news = loop.throw(error)
            else:
                news = loop.send(turn)
    finally:
        loop.close()
        await conversation.close()


async def run_async(
    policy: AsyncPolicy,
    prompts: Iterable[Prompt],
    limits: Limits | None = None,
    *,
    at_once: int,
    is_cancelled: Callable[[], bool] = never,
) -> AsyncGenerator[tuple[int, int, Finished], None]:
    """(number of the prompt, number of its seed, how it finished) of every attempt as it ends; at most `at_once` (from 1)
    run at a time. Raises what the policy or the pixels raise at the first attempt that fails, and drops the others."""

    async def attempt(number: int, rollout: int, prompt: Prompt) -> tuple[int, int, Finished]:
        notices = stream_async(
            policy,
            prompt.example,
            prompt.pictures,
            limits,
            is_operating=prompt.is_operating,
            is_cancelled=is_cancelled,
            seed=prompt.seeds[rollout],
        )
        async with aclosing(notices):
            async for notice in notices:
                finished = notice
        assert isinstance(finished, Finished)  # the loop always ends with it
        return number, rollout, finished

    coming = (
        attempt(number, rollout, prompt)
        for number, prompt in enumerate(prompts)
        for rollout in range(len(prompt.seeds))
    )
    running: set[asyncio.Task[tuple[int, int, Finished]]] = set()
    try:
        while True:
            while len(running) < at_once and (one := next(coming, None)) is not None:
                running.add(asyncio.create_task(one))
            if not running:
                return
            ended, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                yield task.result()
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
