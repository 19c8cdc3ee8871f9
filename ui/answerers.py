"""Who can be chosen to answer on a screen: what answers now, the backbone alone, each adapter of its weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from engine.errors import InvalidInput, Unavailable
from engine.jobs.answering import LIVE, LIVE_WORDS, Answering
from engine.jobs.collect import CollectKind
from engine.jobs.kinds import COLLECT
from engine.policies.base import Policy
from ui.studio import Studio

__all__ = ["answerers", "answering_as"]


def answerers(studio: Studio) -> list[dict[str, str]]:
    """{"id": what a job or a question names, "name": words}, what answers now first."""
    found = _answering(studio)
    choices = [(LIVE, LIVE_WORDS)] if found is None else found.choices()
    return [{"id": id, "name": name} for id, name in choices]


@contextmanager
def answering_as(studio: Studio, adapter: str) -> Iterator[Policy]:
    """Who answers one question: LIVE as every question is answered, anyone else beside it. Raises InvalidInput for one who is
    no choice here, and Unavailable."""
    if adapter == LIVE:
        yield studio.policy()
        return
    found = _answering(studio)
    if found is None:
        raise Unavailable(studio.unready or "nobody answers here")
    if adapter not in {id for id, _ in found.choices()}:
        raise InvalidInput("Who was to answer is not there any more; choose again who answers.")
    with found.open(found.choose(adapter), None, is_long=False) as answerer:
        yield cast(Policy, answerer.policy)


def _answering(studio: Studio) -> Answering | None:
    """As the jobs of this process have it; None while nothing is loaded."""
    kind = studio.worker.kinds.get(COLLECT)
    return kind.services.answering if isinstance(kind, CollectKind) else None
