"""Changing a trace: edits on a person's own draft, what the policy makes of it, and saving it as a revision.

    open -> edit, undo, redo, continue ... (kept at each change) -> commit

A draft is its author's alone and takes nothing from anybody, so it needs no free trace: what somebody changed while their
line was down is never refused because another person has begun meanwhile. Saving it does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from engine.blanking import would_answer_change
from engine.editing import (
    Draft,
    Edit,
    apply,
    committed,
    continue_from,
    edit_from_json,
    edit_to_json,
    prefix,
    redo,
    undo,
)
from engine.errors import InvalidInput
from engine.policies.base import asked_by, never
from engine.protocols import protocol_named
from engine.reasoning import Notice
from engine.store import StaleDraft, StaleRevision
from engine.trace import Trace
from engine.workbench.door import Door, score_of
from engine.workbench.opened import OpenTrace
from engine.worth import weigh_looks

__all__ = ["Changing", "Continuing"]


@dataclass(frozen=True, slots=True)
class Continuing:
    """A policy going on: `kept` is what it goes on from, `notices` are those of the loop, begun when the
    first is asked for."""

    kept: Trace
    notices: Iterator[Notice]


class Changing(Door):
    def edit(
        self, trace_id: str, person: str, edit: Edit | Mapping[str, Any], counter: int, key: str = ""
    ) -> OpenTrace:
        """Applies an edit (or its JSON) to the draft numbered `counter` and keeps the result. `key` is the sender's own
        name of the edit: one that was sent before changes nothing, whatever the counter.

        Raises InvalidInput for an edit that makes no sense, StaleDraft where the draft was changed elsewhere.
        """
        self._permit(person, "edit", trace_id)
        change = edit_from_json(edit) if isinstance(edit, Mapping) else edit
        draft, kept = self._draft(trace_id, person)
        if key and any(moment.key == key for moment in draft.moments):
            return self._opened(trace_id, person, draft, kept)
        protocol = protocol_named(draft.base.protocol)
        after = apply(draft, change, self.pictures(draft.base), protocol, key=key)
        return self._keep(trace_id, person, draft, after, counter)

    def undo(self, trace_id: str, person: str, counter: int) -> OpenTrace:
        self._permit(person, "edit", trace_id)
        draft, _ = self._draft(trace_id, person)
        return self._keep(trace_id, person, draft, undo(draft), counter)

    def redo(self, trace_id: str, person: str, counter: int) -> OpenTrace:
        self._permit(person, "edit", trace_id)
        draft, _ = self._draft(trace_id, person)
        return self._keep(trace_id, person, draft, redo(draft), counter)

    def discard(self, trace_id: str, person: str, counter: int) -> OpenTrace:
        """Throws the draft away: back to what stands. Where somebody else saved a version meanwhile, the draft is kept
        beside it as a branch first. Raises StaleDraft."""
        self._permit(person, "edit", trace_id)
        draft, kept = self._draft(trace_id, person)
        if draft.is_changed and draft.base_revision_id != self._store.revisions.head(trace_id).id:
            with suppress(StaleRevision):
                self._append(trace_id, person, draft, kept, counter)
        self._store.drafts.discard(trace_id, person, counter)
        return self._opened(trace_id, person, *self._draft(trace_id, person))

    def rebase(self, trace_id: str, person: str, counter: int) -> OpenTrace:
        """Keeps the draft as it is, but upon the head as it stands now: the person has seen both and wants theirs."""
        self._permit(person, "edit", trace_id)
        head = self._store.revisions.head(trace_id)
        draft, _ = self._draft(trace_id, person)
        return self._keep(trace_id, person, draft, Draft(head.id, head.trace, draft.moments, draft.position), counter)

    def commit(self, trace_id: str, person: str, counter: int, *, is_insisting: bool = False) -> OpenTrace:
        """Saves the draft as a revision; one without changes saves nothing. Undo still reaches back to before. An answer
        that changed is scored by the gold answer and rule of the trace.

        Raises Reserved where somebody else is working on the trace, StaleRevision (a Conflict) where somebody else moved
        the head: theirs stands, this one is kept as a branch and as a draft. Raises StaleDraft.
        """
        self._permit(person, "commit", trace_id)
        self._require_free(trace_id, person, is_insisting=is_insisting)
        return self._commit(trace_id, person, counter)

    def continue_from(
        self,
        trace_id: str,
        person: str,
        step_index: int,
        *,
        seed: int | None = None,
        is_cancelled: Callable[[], bool] = never,
    ) -> Continuing:
        """The policy goes on after a step of the draft. To take what it finished with, send
        `continuation(step_index, finished.trace)` as an edit; to throw it away, do nothing. Raises InvalidInput where
        nothing can follow that step."""
        self._permit(person, "continue", trace_id)
        draft, _ = self._draft(trace_id, person)
        kept = prefix(draft.trace, step_index)
        notices = continue_from(
            draft,
            step_index,
            asked_by(self._policy(), person),
            self.pictures(draft.base),
            options=self._store.traces.get(trace_id).example.options,
            limits=self._limits,
            seed=seed,
            is_cancelled=is_cancelled,
        )
        return Continuing(kept, notices)

    def blank(
        self, trace_id: str, person: str, step_index: int, *, is_cancelled: Callable[[], bool] = never
    ) -> OpenTrace:
        """Asks the policy whether its answer would change if the crop of a step were blank, and keeps what it said with
        the head; nothing is kept where it was cancelled. Raises InvalidInput where the draft is not saved, that step
        brought no crop, or the policy gives no answer within the limits even with the crop."""
        self._permit(person, "blank", trace_id)
        draft, counter = self._saved_draft(trace_id, person)
        options = self._store.traces.get(trace_id).example.options
        blanked = would_answer_change(
            draft.base,
            step_index,
            asked_by(self._policy(), person),
            self.pictures(draft.base),
            options=options,
            limits=self._limits,
            is_cancelled=is_cancelled,
        )
        if blanked is not None:
            self._store.history.record_blank_check(
                draft.base_revision_id, step_index, blanked.answer, blanked.expected, blanked.is_changed
            )
        return self._opened(trace_id, person, draft, counter)

    def weigh(self, trace_id: str, person: str, *, is_cancelled: Callable[[], bool] = never) -> OpenTrace:
        """Asks the policy what each look of the head was worth, and keeps what it said with the head; where it was
        cancelled, of the looks that were weighed by then. Raises InvalidInput where the draft is not saved, there is no
        answer or no look, or the policy gives no probabilities."""
        self._permit(person, "weigh", trace_id)
        draft, counter = self._saved_draft(trace_id, person)
        policy, trace = self._policy(), draft.base
        options = self._store.traces.get(trace_id).example.options
        with closing(weigh_looks(trace, policy, self.pictures(trace), options=options)) as looks:
            for look in looks:
                self._store.history.record_weighed_look(
                    draft.base_revision_id, look.step_index, trace.answer or "", look.before, look.after, policy.name
                )
                if is_cancelled():
                    break
        return self._opened(trace_id, person, draft, counter)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _saved_draft(self, trace_id: str, person: str) -> tuple[Draft, int]:
        """A draft without changes. Raises InvalidInput."""
        draft, counter = self._draft(trace_id, person)
        if draft.is_changed:
            raise InvalidInput(
                "Save your changes as a version first: the check is kept with the version that it was made on."
            )
        return draft, counter

    def _commit(self, trace_id: str, person: str, counter: int) -> OpenTrace:
        draft, kept = self._draft(trace_id, person)
        revision_id = self._append(trace_id, person, draft, kept, counter)
        if not draft.is_changed:
            return self._opened(trace_id, person, draft, kept)
        with self._store.transaction():
            self._store.drafts.record_edits(revision_id, [edit_to_json(edit) for edit in draft.edits])
            return self._keep(trace_id, person, draft, committed(draft, revision_id), counter)

    def _append(self, trace_id: str, person: str, draft: Draft, kept: int, counter: int) -> str:
        """The id of the revision that the draft is by now. Not in one transaction with the draft: a losing revision must
        be kept although its save raises."""
        if kept != counter:
            raise StaleDraft(self._store.drafts.find(trace_id, person))
        if not draft.is_changed:
            return draft.base_revision_id
        record = self._store.traces.get(trace_id)
        is_answer_kept = draft.trace.answer == self._store.revisions.head(trace_id).trace.answer
        score = None if is_answer_kept else score_of(record, draft.trace)
        return self._store.revisions.append(trace_id, draft.trace, person, draft.base_revision_id, score=score).id
