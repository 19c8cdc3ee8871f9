"""Preferences as pairs to learn from: of two ways to go on the better one.

    edit    what a person made of a trace, and accepted, against what the model had said
    choice  the better of two attempts at one question, as a person said side by side

Both sides have the same history; loss begins where they part (`engine.lessons.parting`), and goes on to the end of each side,
with the pictures that its later turns brought. Left out are ties, choices that were taken back, sides that do not part, and
better sides that go on with a step which cannot be learned from. Needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from engine.errors import NotFound
from engine.lessons import carries_loss, parting
from engine.store import Revision, Store

__all__ = ["Pair", "pairs_of"]

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Pair:
    """Revision `chosen` is better than `rejected` from step `first_step` (from 0) on."""

    kind: Literal["edit", "choice"]
    chosen: Revision
    rejected: Revision
    first_step: int


def pairs_of(store: Store) -> list[Pair]:
    """All pairs of the store, edits first, each pair once."""
    candidates: list[tuple[Literal["edit", "choice"], Revision, Revision]] = []
    for head in store.reviews.accepted():
        first = store.revisions.chain(head.trace_id)[0]
        if first.id != head.id:
            candidates.append(("edit", head, first))
    for one in reversed(store.preferences.list(_MOST)):
        if one.is_tie:
            continue
        try:
            candidates.append(("choice", store.revisions.get(one.chosen_id), store.revisions.get(one.rejected_id)))
        except NotFound:  # deleted since
            continue
    found: dict[tuple[str, str], Pair] = {}
    for kind, chosen, rejected in candidates:
        place = parting(chosen.trace, rejected.trace)
        if place is not None and carries_loss(chosen.trace.steps[place]):
            found.setdefault((chosen.id, rejected.id), Pair(kind, chosen, rejected, place))
    return list(found.values())
