"""One question answered twice, for whoever asks to say which answer is better: blind, in an order that is drawn anew.

The idea: two attempts as any other, of two who can answer or of one who is asked twice; the page hears nothing of who made
which until a preference is kept (`POST /curate/prefer`, as in Curate), and DPO learns from that.

Not covered: attempts that are there already (Curate compares those).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any

from engine.errors import NotFound
from engine.trace import Example
from ui.answering import Answering, Attempt, Progress
from ui.curating.queue_values import steps_and_views
from ui.studio import Studio

__all__ = ["AGAIN", "NOBODY", "NO_PAIR", "ask_twice", "beside_choices", "pair_value", "stop_second", "watch_pair"]

NOBODY, AGAIN = "", "again"
"""Who answers beside the first: nobody; the same once more, sampled."""
NO_PAIR: dict[str, Any] = {"state": "none", "note": "", "sides": []}
_SEEDS = 2**31
_LOOK_EVERY_S = 0.5

Pair = tuple[Attempt, Attempt]


def beside_choices(who: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """(words, value) of who may answer beside the first, of (words, value) of all who can answer."""
    return [("Nobody: one answer", NOBODY), ("The same once more, sampled", AGAIN), *who]


def ask_twice(
    answering: Answering,
    page: str,
    example: Example,
    *,
    author: str,
    adapter: str,
    other: str,
    is_operating: bool,
    seed: int | None,
) -> Pair:
    """Begins both attempts, `adapter`'s with the `seed` and the `other`'s, and returns them in a drawn order. Raises
    Unavailable once the studio is being stopped."""
    is_again = other == AGAIN
    asked = [(adapter, seed), (adapter, secrets.randbelow(_SEEDS)) if is_again else (other, seed)]
    pages = [page, _second(page)]
    one, two = (
        answering.ask(at, example, author=author, is_operating=is_operating, seed=number, adapter=who)
        for at, (who, number) in zip(pages, asked, strict=True)
    )
    return (one, two) if secrets.randbelow(2) else (two, one)


def stop_second(answering: Answering, page: str) -> None:
    """The page asks something else: the attempt beside its own ends, too."""
    answering.let_go(_second(page))


def _second(page: str) -> str:
    """The session under which a page asks beside itself."""
    return f"{page} beside"


def watch_pair(pair: Pair, is_looking: Callable[[], bool]) -> Iterator[tuple[Progress, Progress]]:
    """What is new of either until both are over, for as long as somebody `is_looking`."""
    seen: tuple[Progress, Progress] | None = None
    while is_looking():
        news = (pair[0].progress, pair[1].progress)
        if seen is None or news[0] is not seen[0] or news[1] is not seen[1]:
            yield (seen := news)
        slower = next((one for one, told in zip(pair, news, strict=True) if not told.is_over), None)
        if slower is None:
            return
        slower.after(news[pair.index(slower)], _LOOK_EVERY_S)


def pair_value(studio: Studio, pair: Pair, news: tuple[Progress, Progress]) -> dict[str, Any]:
    """The value of `ui.components.blind.Blind`: nothing of either before both are over, and nothing of who made which."""
    if not all(one.is_over for one in news):
        done = sum(one.is_over for one in news)
        waiting = next((one.waiting for one in news if one.waiting), None)
        note = f"{waiting}; your question waits" if waiting else f"Two answers are being made: {done} of 2 is there"
        return {"state": "running", "note": note, "sides": [], "attempts": [one.id for one in pair]}
    sides = []
    for attempt, progress in zip(pair, news, strict=True):
        try:
            head = studio.store.revisions.head(attempt.id)
        except NotFound:  # it ended before it was begun
            return NO_PAIR | {"state": "done", "note": progress.problem or "Nothing was answered; ask again."}
        sides.append({"id": head.id, "trace": attempt.id, "answer": progress.answer, **steps_and_views(head.trace)})
    problem = next((one.problem for one in news if one.problem), None)
    is_same = sides[0]["steps"] == sides[1]["steps"]
    note = problem or ("Both said the same, step by step: there is nothing to choose." if is_same else "")
    return {"state": "done", "note": note, "sides": sides, "can_choose": not note}
