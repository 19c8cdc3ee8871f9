"""One attempt, told as it happens: for a screen, the command line, and whoever needs one trace.

The idea: the loop's notices pass through as they come; where it wants a turn, the policy's pieces of text become
`Thinking` on the way, and its place in line `Waiting`.

Invariant: closing the iterator closes the conversation, in the middle of a turn too. What keeps the policy from speaking is
thrown into the loop, so that the last notice is `Finished` before it is raised. A policy that makes whole attempts elsewhere has
a `stream` of its own, whose notices are passed on (`engine.hosting.zero_gpu`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator

from engine.media import Pictures
from engine.policies.base import Conversation, InLine, Policy, Turn, never
from engine.reasoning import Limits, Notice, Request, Thinking, Waiting, reason
from engine.trace import Example, Trace

__all__ = ["stream"]


def stream(
    policy: Policy,
    example: Example,
    pictures: Pictures,
    limits: Limits | None = None,
    *,
    is_operating: bool = True,
    is_cancelled: Callable[[], bool] = never,
    seed: int | None = None,
    earlier: Trace | None = None,
) -> Iterator[Notice]:
    """One attempt of `policy` at `example`, as the notices of `engine.reasoning.reason`, which explains the arguments.

    `is_cancelled` is asked before every token. A seed samples; None is greedy where the policy can be. Raises whatever the
    policy or the pixels raise, after a Finished with stop_reason "failed".
    """
    if (elsewhere := getattr(policy, "stream", None)) is not None:
        yield from elsewhere(example, limits, is_cancelled, is_operating=is_operating, seed=seed, earlier=earlier)
        return
    conversation = policy.converse(pictures, seed)
    loop = reason(
        policy, example, pictures, limits, is_operating=is_operating, is_cancelled=is_cancelled, earlier=earlier
    )
    try:
        news = next(loop, None)
        while news is not None:
            if isinstance(news, Request):
                try:
                    turn = yield from _spoken(conversation, news, is_cancelled)
                except Exception as error:
                    news = loop.throw(error)
                else:
                    news = loop.send(turn)
            else:
                yield news
                news = next(loop, None)
    finally:
        loop.close()
        conversation.close()


def _spoken(
    conversation: Conversation, request: Request, is_cancelled: Callable[[], bool]
) -> Generator[Thinking | Waiting, None, Turn | None]:
    conversation.add(request.said)
    text, turn = "", None
    for piece in conversation.generate(request.max_tokens, is_cancelled):
        if isinstance(piece, Turn):
            turn = piece
        elif isinstance(piece, InLine):
            yield Waiting(request.index, piece.before)
        else:
            text += piece
            yield request.thinking(text)
    return turn
