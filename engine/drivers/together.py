"""Many attempts in one batch: rollouts, and whole benchmarks.

The idea: each attempt is a loop that waits for its next turn; once all that are running wait, they speak together
(`Policy.speak`), and who has finished gives its place to the next one. The attempts at one prompt share its opening: it is
said once, and each forks from there.

    running   at most `at_once` attempts and those that are `prepared`, each with the request that it waits for
    round     one turn of at most `at_once` of them, those that have waited longest, in one batch

What a turn asks to be said next is added as soon as the turn is over, so that a policy which sees pictures elsewhere
(`engine.policies.base.prepares`) sees those of the next round while this one speaks.

Invariants: an attempt depends on its seed, its example and the weights alone, not on what it was batched with, but for
rounding; prompts are taken from their iterator when there is room and not before; whatever happens, every conversation is
closed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from engine.media import Pictures
from engine.policies.base import Conversation, Policy, Turn, cpu_s_with, never
from engine.reasoning import Finished, Limits, Reasoning, Request, reason
from engine.trace import Example

__all__ = ["Ended", "Prompt", "run_together"]


@dataclass(frozen=True, slots=True)
class Prompt:
    """An example to attempt, once for each of `seeds`; a seed of None is greedy where the policy can be. Without
    `is_operating` it is to be answered from the first views."""

    example: Example
    pictures: Pictures
    seeds: tuple[int | None, ...] = (None,)
    is_operating: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """The attempt at prompt number `prompt` with its seed number `rollout` (both from 0). `cpu_s` is its share of the
    CPU seconds of this process and of those that work for it. `conversation` is open until the next one is asked for."""

    prompt: int
    rollout: int
    finished: Finished
    cpu_s: float
    conversation: Conversation


@dataclass(slots=True, eq=False)
class _Attempt:
    """An attempt on its way: `waits_for` a turn, or for being told."""

    prompt: int
    rollout: int
    loop: Reasoning
    conversation: Conversation
    waits_for: Request | Finished
    cpu_s: float = 0.0

    def close(self) -> None:
        self.loop.close()
        self.conversation.close()


def run_together(
    policy: Policy,
    prompts: Iterable[Prompt],
    limits: Limits | None = None,
    *,
    at_once: int,
    prepared: int = 0,
    is_cancelled: Callable[[], bool] = never,
) -> Iterator[Ended]:
    """Every attempt as it ends; at most `at_once` (from 1) speak at a time, and `prepared` more have begun. `is_cancelled` is
    asked before every token, and ends all with traces that say "cancelled".

    Raises whatever the policy or the pixels raise, at the first attempt that fails.
    """
    coming = _open(policy, prompts, limits, is_cancelled)
    running: list[_Attempt] = []
    most = at_once  # nobody waits at first for those who are only prepared
    try:
        while True:
            while len(running) < most and (attempt := next(coming, None)) is not None:
                running.append(attempt)
            if not running:
                return
            most = at_once + prepared
            speaking = [one for one in running if isinstance(one.waits_for, Request)][:at_once]
            _speak(policy, speaking, is_cancelled)
            running.sort(key=speaking.__contains__)  # who has spoken waits behind who has not
            for one in list(running):
                if isinstance(one.waits_for, Finished):
                    yield Ended(one.prompt, one.rollout, one.waits_for, one.cpu_s, one.conversation)
                    running.remove(one)
                    one.close()
    finally:
        coming.close()
        for one in running:
            one.close()


def _open(
    policy: Policy, prompts: Iterable[Prompt], limits: Limits | None, is_cancelled: Callable[[], bool]
) -> Generator[_Attempt, None, None]:
    """The attempts in order, each up to its first turn; several at one prompt share what stands before it."""
    for number, prompt in enumerate(prompts):
        with ExitStack() as opened:
            shared: Conversation | None = None
            for rollout, seed in enumerate(prompt.seeds):
                began_s = cpu_s_with(policy)
                loop = reason(
                    policy,
                    prompt.example,
                    prompt.pictures,
                    limits,
                    is_operating=prompt.is_operating,
                    is_cancelled=is_cancelled,
                )
                first = _advance(loop)
                if isinstance(first, Finished):
                    conversation = policy.converse(prompt.pictures, seed)
                elif len(prompt.seeds) == 1:
                    # Said at once: what comes next may still be in the making.
                    conversation = policy.converse(prompt.pictures, seed)
                    first = _told(conversation, first)
                else:
                    if shared is None:
                        shared = policy.converse(prompt.pictures, None)
                        opened.callback(shared.close)
                        shared.add(first.said)
                    conversation, first = shared.fork(seed), replace(first, said=())
                cpu_s = cpu_s_with(policy) - began_s
                yield _Attempt(number, rollout, loop, conversation, first, cpu_s)


def _told(conversation: Conversation, news: Request | Finished) -> Request | Finished:
    """The conversation is told what the loop wants said, and closed where that fails; the request without that."""
    if isinstance(news, Finished):
        return news
    try:
        conversation.add(news.said)
    except BaseException:
        conversation.close()
        raise
    return replace(news, said=())


def _speak(policy: Policy, waiting: Sequence[_Attempt], is_cancelled: Callable[[], bool]) -> None:
    """One turn of each, which all wait for one."""
    began_s = cpu_s_with(policy)
    wanted = [one.waits_for for one in waiting if isinstance(one.waits_for, Request)]
    conversations = [one.conversation for one in waiting]
    turns = policy.speak(conversations, [request.max_tokens for request in wanted], is_cancelled) if waiting else []
    for one, turn in zip(waiting, turns, strict=True):
        one.waits_for = _told(one.conversation, _advance(one.loop, turn))
    for one in waiting:
        one.cpu_s += (cpu_s_with(policy) - began_s) / len(waiting)


def _advance(loop: Reasoning, turn: Turn | None = None) -> Request | Finished:
    """The loop's next request, or its end. Raises what made it fail."""
    news = loop.send(turn)
    while not isinstance(news, Request | Finished):
        news = next(loop)
    if isinstance(news, Finished):
        next(loop, None)
    return news
