"""What every act on a trace passes: may this person do it, and is the trace free. And how a trace comes to the workbench."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from engine.access import Access
from engine.editing import Draft, draft_from_json, draft_of, draft_to_json
from engine.errors import NotFound
from engine.evaluation.scoring import Score, score_answer
from engine.faithfulness import faithfulness
from engine.media import MediaFolder, Pictures
from engine.policies.base import Policy
from engine.reasoning import Limits
from engine.rights import HOST, require
from engine.store import Reserved, Seer, Store, TraceRecord
from engine.trace import Trace
from engine.workbench.opened import OpenTrace

__all__ = ["Door", "score_of"]


class Door:
    """`policy()` is whatever answers at that moment, within `limits`; `access` knows who may do and see what: without it
    everybody is the host. `samples()` are the media that are there for everybody, by hash."""

    def __init__(
        self,
        store: Store,
        media: MediaFolder,
        policy: Callable[[], Policy],
        limits: Limits | None = None,
        access: Access | None = None,
        samples: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._store = store
        self._media = media
        self._policy = policy
        self._limits = limits or Limits()
        self._access = access
        self._samples = samples

    def open(self, trace_id: str, person: str) -> OpenTrace:
        """The trace with this person's draft, or a fresh one of the head. Raises NotFound, and InvalidInput for a trace
        whose pictures are numbered oddly."""
        self._permit(person, "look", trace_id)
        return self._opened(trace_id, person, *self._draft(trace_id, person))

    def pictures(self, trace: Trace) -> Pictures:
        """The loaded media of a trace. Raises NotFound."""
        return self._media.pictures(trace.media)

    # --- the checks --------------------------------------------------------------------------------------------------

    def seer_of(self, person: str) -> Seer | None:
        """Whose eyes a person has; None for those who see all there is."""
        return None if self._access is None else self._access.seer_of(person)

    def may_see(self, person: str, trace_id: str) -> bool:
        """Whether a trace is there for a person."""
        seer = self.seer_of(person)
        return seer is None or self._store.sight.sees(seer, trace_id)

    def require_seen(self, person: str, *trace_ids: str) -> None:
        """Raises NotFound, in the words of a trace that is not there, for one that the person may not see."""
        for trace_id in trace_ids:
            if not self.may_see(person, trace_id):
                raise NotFound(f"there is no trace {trace_id!r} in the store")

    def may_see_media(self, person: str, sha256: str) -> bool:
        """Whether a medium is there for a person: what they brought, a sample, what a trace is about that they may see."""
        return self._access is None or self._access.sees_media(person, sha256) or sha256 in self._samples()

    def require_media_seen(self, person: str, sha256: str) -> None:
        """Raises NotFound, likewise."""
        if not self.may_see_media(person, sha256):
            raise NotFound(f"there is no media {sha256!r} in the store")

    def _permit(self, person: str, action: str, *trace_ids: str) -> None:
        """Raises NotAllowed, and NotFound for a trace that the person may not see."""
        require(HOST if self._access is None else self._access.role_of(person), action)
        self.require_seen(person, *trace_ids)

    def _require_free(self, trace_id: str, person: str, *, is_insisting: bool) -> None:
        """Raises Reserved (a Conflict) where somebody else is working on the trace, and NotFound. Whoever insists has been
        told of the other, and goes on beside them."""
        held = self._store.reservations.of(trace_id)
        if held is not None and not held.is_of(person) and not is_insisting:
            raise Reserved(held, time.time())

    # --- a trace on the workbench -------------------------------------------------------------------------------------

    def _draft(self, trace_id: str, person: str) -> tuple[Draft, int]:
        saved = self._store.drafts.find(trace_id, person)
        head = self._store.revisions.head(trace_id)
        if saved is None:
            return draft_of(head.id, head.trace), 0
        draft = draft_from_json(saved.data)
        if draft.base_revision_id != head.id and not draft.is_changed:
            return draft_of(head.id, head.trace), saved.counter
        return draft, saved.counter

    def _keep(self, trace_id: str, person: str, before: Draft, after: Draft, counter: int) -> OpenTrace:
        if after == before:
            kept = self._store.drafts.find(trace_id, person)
            return self._opened(trace_id, person, before, kept.counter if kept else 0)
        saved = self._store.drafts.save(
            trace_id, person, draft_to_json(after), after.base_revision_id, after.is_changed, counter
        )
        return self._opened(trace_id, person, after, saved.counter)

    def _opened(self, trace_id: str, person: str, draft: Draft, counter: int) -> OpenTrace:
        record = self._store.traces.get(trace_id)
        head = self._store.revisions.get(record.head_id)
        is_answer_kept = draft.trace.answer == head.trace.answer
        return OpenTrace(
            record=record,
            draft=draft,
            counter=counter,
            head=head,
            model=self._store.revisions.first(trace_id),
            is_behind=draft.base_revision_id != head.id,
            score=record.score if is_answer_kept else score_of(record, draft.trace),
            reviews=tuple(self._store.rounds.visible(trace_id, person)),
            round=self._store.rounds.of(trace_id),
            reservation=self._store.reservations.of(trace_id),
            tags=self._store.tags.of(trace_id),
            faithfulness=faithfulness(draft.trace, record.example.evidence),
            blank_checks=tuple(self._store.history.blank_checks(head.id)),
            weighed_looks=tuple(self._store.history.weighed_looks(head.id)),
        )


def score_of(record: TraceRecord, trace: Trace) -> Score:
    """The score of a version's answer by what is known of the trace's example; None where no answer is known."""
    return score_answer(trace.answer, record.example)
