"""The workbench: one person changing one trace, over the store and the pixels; what the Curate screen calls.

    open -> edit, undo, redo, continue ... (a draft, kept at each change) -> commit (a revision) or review

Invariants: every change is in the database before it is reported; nothing is overwritten: a draft that another tab has
moved raises StaleDraft, a head that somebody else has moved StaleRevision, and both versions are kept; what is accepted
has nothing stale in it.

Not covered: who somebody is (the screens), what an edit does (`engine.editing`), how records are kept (`engine.store`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.editing import (
    Draft,
    Edit,
    StepDiff,
    apply,
    committed,
    continuation,
    continue_from,
    diff,
    draft_from_json,
    draft_of,
    draft_to_json,
    edit_from_json,
    edit_to_json,
    operation_boxes,
    problems,
    redo,
    undo,
)
from engine.errors import InvalidInput
from engine.faithfulness import Faithfulness, faithfulness
from engine.media import MediaFolder, Pictures
from engine.policies.base import Policy, never
from engine.protocols import protocol_named
from engine.reasoning import Event, Limits
from engine.store import BlankCheck, Reservation, Review, Revision, Round, StaleDraft, Store, TraceRecord, Verdict
from engine.trace import Trace
from engine.trace_json import trace_to_json

__all__ = ["Bench", "Workbench", "bench_to_json"]


@dataclass(frozen=True, slots=True)
class Bench:
    """A trace as one person has it in front of them. `counter` must be sent back with the next change; `head` is what
    stands, `model` the first revision (whose boxes are the ghosts); `is_behind` says that the head has moved since the
    draft was begun. `reviews` are those that this person may see."""

    record: TraceRecord
    draft: Draft
    counter: int
    head: Revision
    model: Revision
    is_behind: bool
    reviews: tuple[Review, ...]
    round: Round
    reservation: Reservation | None
    tags: tuple[str, ...]
    faithfulness: Faithfulness
    blank_checks: tuple[BlankCheck, ...]


class Workbench:
    def __init__(self, store: Store, media: MediaFolder) -> None:
        self._store = store
        self._media = media

    # --- looking -----------------------------------------------------------------------------------------------------

    def open(self, trace_id: str, person: str) -> Bench:
        """The trace with this person's draft, or a fresh one of the head. Raises NotFound, and InvalidInput for a trace
        whose pictures are numbered oddly."""
        draft, counter = self._draft(trace_id, person)
        return self._bench(trace_id, person, draft, counter)

    def pictures(self, trace: Trace) -> Pictures:
        return self._media.pictures(trace.media)

    def compare(self, old_id: str, new_id: str) -> tuple[StepDiff, ...]:
        """Word and box differences between any two revisions. Raises NotFound."""
        return diff(self._store.revisions.get(old_id).trace, self._store.revisions.get(new_id).trace)

    # --- changing ----------------------------------------------------------------------------------------------------

    def edit(self, trace_id: str, person: str, edit: Edit | Mapping[str, Any], counter: int, key: str = "") -> Bench:
        """Applies an edit (or its JSON) to the draft numbered `counter` and keeps the result. `key` is the sender's own
        name of the edit: one that was sent before changes nothing, whatever the counter.

        Raises InvalidInput for an edit that makes no sense, StaleDraft where the draft was changed elsewhere.
        """
        change = edit_from_json(edit) if isinstance(edit, Mapping) else edit
        draft, kept = self._draft(trace_id, person)
        if key and any(moment.key == key for moment in draft.moments):
            return self._bench(trace_id, person, draft, kept)
        protocol = protocol_named(draft.base.protocol)
        after = apply(draft, change, self.pictures(draft.base), protocol, key=key)
        return self._keep(trace_id, person, draft, after, counter)

    def undo(self, trace_id: str, person: str, counter: int) -> Bench:
        draft, _ = self._draft(trace_id, person)
        return self._keep(trace_id, person, draft, undo(draft), counter)

    def redo(self, trace_id: str, person: str, counter: int) -> Bench:
        draft, _ = self._draft(trace_id, person)
        return self._keep(trace_id, person, draft, redo(draft), counter)

    def discard(self, trace_id: str, person: str, counter: int) -> Bench:
        """Throws the draft away: back to what stands."""
        self._store.drafts.discard(trace_id, person, counter)
        return self.open(trace_id, person)

    def take_revision(self, trace_id: str, person: str, revision_id: str, counter: int) -> Bench:
        """The draft says what a revision says, and is based on the head; an edit like any other. After a conflict: take
        the head's id for "theirs", the kept branch's (or any other) for "mine"."""
        wanted = self._store.revisions.get(revision_id)
        head = self._store.revisions.head(trace_id)
        if wanted.trace_id != trace_id:
            raise InvalidInput("this version belongs to another trace")
        draft, _ = self._draft(trace_id, person)
        after = apply(
            draft, continuation(-1, wanted.trace), self.pictures(head.trace), protocol_named(head.trace.protocol)
        )
        after = Draft(head.id, head.trace, after.moments, after.position)
        return self._keep(trace_id, person, draft, after, counter)

    def rebase(self, trace_id: str, person: str, counter: int) -> Bench:
        """Keeps the draft as it is, but upon the head as it stands now: the person has seen both and wants theirs."""
        head = self._store.revisions.head(trace_id)
        draft, _ = self._draft(trace_id, person)
        return self._keep(trace_id, person, draft, Draft(head.id, head.trace, draft.moments, draft.position), counter)

    def continue_from(
        self,
        trace_id: str,
        person: str,
        step_index: int,
        policy: Policy,
        *,
        limits: Limits | None = None,
        seed: int | None = None,
        is_cancelled: Callable[[], bool] = never,
    ) -> Iterator[Event]:
        """The policy goes on after a step of the draft, as events. To take what it finished with, send
        `continuation(step_index, finished.trace)` as an edit; to throw it away, do nothing."""
        draft, _ = self._draft(trace_id, person)
        record = self._store.traces.get(trace_id)
        yield from continue_from(
            draft,
            step_index,
            policy,
            self.pictures(draft.base),
            options=record.options,
            limits=limits,
            seed=seed,
            is_cancelled=is_cancelled,
        )

    # --- deciding ----------------------------------------------------------------------------------------------------

    def commit(self, trace_id: str, person: str, counter: int) -> Bench:
        """Saves the draft as a revision; one without changes saves nothing. Undo still reaches back to before.

        Raises StaleRevision (a Conflict) where somebody else moved the head: theirs stands, this one is kept as a
        branch and as a draft. Raises StaleDraft.
        """
        draft, kept = self._draft(trace_id, person)
        if kept != counter:
            raise StaleDraft(self._store.drafts.find(trace_id, person))
        if not draft.is_changed:
            return self._bench(trace_id, person, draft, kept)
        # Not in one transaction with the draft: a losing revision must be kept although its save raises.
        revision = self._store.revisions.append(trace_id, draft.trace, person, draft.base_revision_id)
        with self._store.transaction():
            self._store.drafts.record_edits(revision.id, [edit_to_json(edit) for edit in draft.edits])
            return self._keep(trace_id, person, draft, committed(draft, revision.id), counter)

    def review(
        self, trace_id: str, person: str, verdict: Verdict, counter: int, reason: str = ""
    ) -> tuple[Review, Bench]:
        """A verdict on the draft, which is committed first where it was changed. Only a skip leaves the draft aside.

        Raises InvalidInput where something stale or unfinished would be accepted, or a rejection has no reason;
        StaleRevision and StaleDraft as `commit` does.
        """
        if verdict == "rejected" and not reason.strip():
            raise InvalidInput("say why the trace is rejected; a word is enough")
        bench = self.open(trace_id, person)
        if verdict == "accepted" and (found := problems(bench.draft)):
            raise InvalidInput(" ".join(found))
        if verdict != "skipped":
            bench = self.commit(trace_id, person, counter)
            if bench.is_behind:
                raise InvalidInput("somebody saved another version of this trace meanwhile; look at it first")
        review = self._store.reviews.record(bench.draft.base_revision_id, person, verdict, reason)
        self._store.reservations.release(trace_id, person)
        return review, self.open(trace_id, person)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _draft(self, trace_id: str, person: str) -> tuple[Draft, int]:
        saved = self._store.drafts.find(trace_id, person)
        head = self._store.revisions.head(trace_id)
        if saved is None:
            return draft_of(head.id, head.trace), 0
        draft = draft_from_json(saved.data)
        if draft.base_revision_id != head.id and not draft.is_changed:
            return draft_of(head.id, head.trace), saved.counter
        return draft, saved.counter

    def _keep(self, trace_id: str, person: str, before: Draft, after: Draft, counter: int) -> Bench:
        if after == before:
            kept = self._store.drafts.find(trace_id, person)
            return self._bench(trace_id, person, before, kept.counter if kept else 0)
        saved = self._store.drafts.save(
            trace_id, person, draft_to_json(after), after.base_revision_id, after.is_changed, counter
        )
        return self._bench(trace_id, person, after, saved.counter)

    def _bench(self, trace_id: str, person: str, draft: Draft, counter: int) -> Bench:
        record = self._store.traces.get(trace_id)
        head = self._store.revisions.get(record.head_id)
        first = self._store.revisions.first(trace_id)
        return Bench(
            record=record,
            draft=draft,
            counter=counter,
            head=head,
            model=first,
            is_behind=draft.base_revision_id != head.id,
            reviews=tuple(self._store.rounds.visible(trace_id, person)),
            round=self._store.rounds.of(trace_id),
            reservation=self._store.reservations.of(trace_id),
            tags=self._store.tags.of(trace_id),
            faithfulness=faithfulness(draft.trace, record.evidence),
            blank_checks=tuple(self._store.history.blank_checks(head.id)),
        )


def bench_to_json(bench: Bench) -> dict[str, Any]:
    """What the screen needs of a bench, as plain JSON; steps are counted from 0, boxes are on the original."""
    draft, labels = bench.draft, bench.faithfulness
    boxes, ghosts = operation_boxes(draft.trace), operation_boxes(bench.model.trace)
    return {
        "trace_id": bench.record.id,
        "status": bench.record.status,
        "counter": bench.counter,
        "trace": trace_to_json(draft.trace, bench.record.id),
        "base_revision_id": draft.base_revision_id,
        "head_id": bench.head.id,
        "head_number": bench.head.number,
        "is_behind": bench.is_behind,
        "is_changed": draft.is_changed,
        "can_undo": draft.can_undo,
        "can_redo": draft.can_redo,
        "stale": list(draft.stale),
        "problems": list(problems(draft)),
        "boxes": [box and box.as_list() for box in boxes],
        "ghosts": [box and box.as_list() for box in ghosts],
        "trajectory": labels.trajectory,
        "pretended": list(labels.pretended),
        "ignored": list(labels.ignored),
        "evidence_shares": list(labels.evidence_shares),
        "blank_checks": {str(check.step): check.is_changed for check in bench.blank_checks},
        "gold": bench.record.gold,
        "score": bench.record.score,
        "tags": list(bench.tags),
        "holder": bench.reservation and bench.reservation.holder,
        "round": {"wanted": bench.round.wanted, "given": bench.round.given, "state": bench.round.state},
        "reviews": [
            {"reviewer": r.reviewer, "verdict": r.verdict, "reason": r.reason, "at": r.created_at}
            for r in bench.reviews
            if r.undone_at is None
        ],
    }
