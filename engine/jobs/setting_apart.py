"""Before a training job is queued: what it will be measured on is set apart from what it learns from.

The one way for all kinds that train an adapter. Whom the new adapter is compared with:

    SFT    what answers now; the backbone alone, where that has learned from something that is held out
    RL     what it starts from, so that nothing which that has learned from is held out

Not covered: which items of a share are held out (`engine.evaluation.held_out`), measuring (`engine.jobs.measuring`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Unavailable
from engine.evaluation.held_out import SHARE, HeldOut, HeldOutSet, hold_out
from engine.evaluation.sources import Source, accepted_revisions, question_of
from engine.jobs.adapter_answering import AdapterAnswering
from engine.jobs.answering import BARE, LIVE
from engine.jobs.workshop import Workshop
from engine.store import Revision
from engine.trace import Example
from engine.training.snapshot import keep_examples, learned_from

__all__ = ["Apart", "set_apart"]

_ONE_PICTURE = "nothing is held out: everything is about the same picture, and half of a picture examines nobody"
_ALL_KNOWN = "nothing is held out: the adapter that it starts from has learned from all of it"


@dataclass(frozen=True, slots=True)
class Apart:
    """`positions` of the items are not to be learned from; `evaluation` is what the job remembers, None where nothing is
    measured; `notes` are sentences for people."""

    positions: frozenset[int]
    evaluation: HeldOutSet | None
    notes: tuple[str, ...] = ()


def set_apart(
    workshop: Workshop,
    held_out: HeldOut | None,
    items: Sequence[Revision] | Sequence[Example],
    *,
    start_from: str | None = None,
) -> Apart:
    """Of the `items` that could be learned from. `start_from` is the adapter that RL starts from, "" for none; None is SFT.
    Raises InvalidInput and NotFound for what cannot be measured on."""
    if held_out is None or not held_out.name:
        return Apart(frozenset(), None)
    store = workshop.store
    known = frozenset() if not start_from else _learned_by(workshop, start_from)
    if (source := held_out.source(store)) is not None:
        revision_ids: Sequence[str] = ()
        if source.kind == "accepted":
            evaluated = held_out.name.partition(":")[2]
            revision_ids = store.jobs.revision_ids(evaluated) if evaluated else accepted_revisions(store)
        chosen = HeldOutSet(source, tuple(revision_ids), answerer=_answerer(workshop, start_from))
        return Apart(frozenset(), chosen)
    media = [_media(one) for one in items]
    positions = hold_out(media, held_out.share, held_out.count, known)
    if not positions:
        return Apart(positions, None, (_ALL_KNOWN if known else _ONE_PICTURE,) if items else ())
    chosen = _kept(workshop, [items[k] for k in sorted(positions)])
    answerer = _answerer(workshop, start_from)
    notes: tuple[str, ...] = ()
    if start_from is None and answerer["adapter"]:
        shared = _learned_by(workshop, answerer["adapter"]) & frozenset().union(*(media[k] for k in positions))
        if shared:
            notes = (
                f"compared with the backbone alone: {answerer['name']}, which answers now, has learned from "
                f"{len(shared)} of the held-out pictures",
            )
            answerer = _answerer(workshop, "")
    return Apart(positions, dataclasses.replace(chosen, answerer=answerer, note="; ".join(notes)), notes)


def _kept(workshop: Workshop, items: Sequence[Revision | Example]) -> HeldOutSet:
    """Each question once."""
    store = workshop.store
    questions: dict[tuple[object, ...], tuple[Revision | Example, Example]] = {}
    for one in items:
        example = question_of(store, one) if isinstance(one, Revision) else one
        questions.setdefault((example.question, example.media), (one, example))
    source = Source("accepted", SHARE, None, len(questions))
    if revision_ids := [one.id for one, _ in questions.values() if isinstance(one, Revision)]:
        return HeldOutSet(source, tuple(revision_ids))
    examples = [example for _, example in questions.values()]
    return HeldOutSet(source, examples=keep_examples(workshop.artifacts, examples))


def _answerer(workshop: Workshop, start_from: str | None) -> dict[str, Any]:
    answering = AdapterAnswering(workshop.store, workshop.backbone, workshop.artifacts)
    if start_from is not None:
        return answering.choose(start_from or BARE)
    try:
        return answering.choose(LIVE)
    except Unavailable:  # what is promoted does not fit these weights, so the backbone alone answers
        return answering.choose(BARE)


def _learned_by(workshop: Workshop, adapter_id: str) -> frozenset[str]:
    job_id = workshop.store.adapters.get(adapter_id).job_id
    if job_id is None:
        return frozenset()
    return frozenset(learned_from(workshop.store, workshop.artifacts, workshop.store.jobs.get(job_id)))


def _media(item: Revision | Example) -> frozenset[str]:
    media = item.trace.media if isinstance(item, Revision) else item.media
    return frozenset(medium.sha256 for medium in media)
