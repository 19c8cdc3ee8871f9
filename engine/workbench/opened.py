"""A trace as one person has it in front of them."""

from __future__ import annotations

from dataclasses import dataclass

from engine.editing import Draft
from engine.faithfulness import Faithfulness
from engine.store import BlankCheck, Reservation, Review, Revision, Round, TraceRecord, WeighedLook

__all__ = ["OpenTrace"]


@dataclass(frozen=True, slots=True)
class OpenTrace:
    """A trace with one person's draft of it.

    `counter` must be sent back with the next change; `head` is what stands, `model` the first revision (whose boxes are the
    ghosts); `is_behind` says that the head has moved since the draft was begun. `score` is that of the draft's answer.
    `reviews` are those that this person may see.
    """

    record: TraceRecord
    draft: Draft
    counter: int
    head: Revision
    model: Revision
    is_behind: bool
    score: float | None
    reviews: tuple[Review, ...]
    round: Round
    reservation: Reservation | None
    tags: tuple[str, ...]
    faithfulness: Faithfulness
    blank_checks: tuple[BlankCheck, ...]
    weighed_looks: tuple[WeighedLook, ...]
