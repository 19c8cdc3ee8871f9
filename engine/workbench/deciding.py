"""Deciding on traces: one verdict, one verdict on many, taking back, the last word, the better of two attempts.

Invariants: what is approved has nothing that stands against it, whichever way it is approved; a verdict is on a version
that the person has seen; what is passed over in a decision on many is named, with the reason; only who decided takes it
back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from engine.editing import Draft, problems, trace_problems
from engine.errors import Conflict, InvalidInput, NotAllowed, NotFound
from engine.store import BulkAction, Preference, Revision, TraceRecord, Verdict
from engine.workbench.changing import Changing

__all__ = ["Deciding"]


class Deciding(Changing):
    def review(
        self,
        trace_id: str,
        person: str,
        verdict: Verdict,
        reason: str = "",
        *,
        seen: str | None = None,
        is_insisting: bool = False,
    ) -> TraceRecord:
        """A verdict on the trace as the person has it: a changed draft is saved first, but for a skip, which leaves it
        aside. `seen` is the head that they looked at (None: whatever stands). The same verdict given again, now with its
        reason, is one verdict.

        Raises Reserved where somebody else is working on the trace (a skip takes nothing from them), InvalidInput where
        something stands against accepting it, Conflict where somebody else saved a version since.
        """
        self._permit(person, "review", trace_id)
        if verdict != "skipped":
            self._require_free(trace_id, person, is_insisting=is_insisting)
        head, draft, counter = self._standing(trace_id, person)
        if verdict == "accepted" and (found := trace_problems(head.trace) if draft is None else problems(draft)):
            raise InvalidInput(" ".join(found))
        seen = seen or head.id
        if verdict != "skipped" and draft is not None and draft.is_changed:
            seen = self._commit(trace_id, person, counter).head.id
        with self._store.transaction():
            head = self._store.revisions.head(trace_id)
            if head.id != seen:
                raise Conflict(
                    f"{head.author} saved version {head.number} of this trace since you opened it; look at it, then "
                    "decide."
                )
            mine = [r for r in self._store.reviews.list(trace_id) if r.reviewer == person and r.undone_at is None]
            if mine and (mine[-1].revision_id, mine[-1].verdict) == (seen, verdict):
                self._store.reviews.undo(person, trace_id)
            self._store.reviews.record(seen, person, verdict, reason.strip())
        return self._store.traces.get(trace_id)

    def send_to_review(self, trace_id: str, person: str, reason: str = "sent from Ask") -> TraceRecord:
        """Flags a trace as it stands, for whoever reviews, who reads the `reason`. Raises NotFound."""
        self._permit(person, "send_to_review", trace_id)
        if (
            self._access is not None
            and self._access.queue_takes == "none"
            and self._access.role_of(person) == "visitor"
        ):
            raise NotAllowed("What visitors ask is not reviewed here.")
        self._store.reviews.record(self._store.traces.get(trace_id).head_id, person, "flagged", reason)
        return self._store.traces.get(trace_id)

    def take_back(self, trace_id: str, person: str) -> TraceRecord:
        """Takes the person's latest verdict on a trace back. Raises NotFound, and InvalidInput where there is none."""
        self._permit(person, "take_back", trace_id)
        record = self._store.traces.get(trace_id)
        if self._store.reviews.undo(person, record.id) is None:
            raise InvalidInput("There is no verdict of yours on this trace to take back.")
        return self._store.traces.get(trace_id)

    def review_many(self, trace_ids: Sequence[str], person: str, verdict: Verdict, reason: str = "") -> BulkAction:
        """The same verdict on the heads of all these traces. Passed over and named are those that are not there, that
        somebody else is working on, that the person has changed without saving, and, where they would be accepted, those
        that something stands against."""
        self._permit(person, "review_many")

        def objection(trace_id: str) -> str | None:
            if not self.may_see(person, trace_id):
                return "It is not there."
            try:
                head, draft, _ = self._standing(trace_id, person)
            except NotFound:
                return "It is not there."
            held = self._store.reservations.of(trace_id)
            if held is not None and not held.is_of(person):
                return f"{held.holder} is working on it."
            if verdict != "skipped" and draft is not None and draft.is_changed:
                return "You changed it and did not save it as a version."
            return " ".join(trace_problems(head.trace)) or None if verdict == "accepted" else None

        return self._store.rounds.review_all(trace_ids, person, verdict, reason, objection)

    def take_back_many(self, action_id: str, person: str) -> int:
        """Takes back those verdicts of a decision on many that still stand, and returns how many. Raises NotFound,
        NotAllowed where somebody else decided, InvalidInput where it was taken back before."""
        self._permit(person, "take_back")
        action = self._store.rounds.action(action_id)
        if action.author != person:
            raise NotAllowed(f"{action.author} decided on these traces; only they can take it back")
        if action.undone_at is not None:
            raise InvalidInput("These verdicts were taken back already.")
        return self._store.rounds.undo_all(action_id)

    def settle(
        self,
        trace_id: str,
        revision_id: str,
        person: str,
        verdict: Literal["accepted", "rejected"],
        reason: str = "",
        *,
        is_insisting: bool = False,
    ) -> TraceRecord:
        """The last word on a version that its reviewers disagree on. Raises Reserved where somebody else is working on the
        trace, InvalidInput where nothing is disputed, the version is not the trace's latest, or something stands against
        accepting it."""
        self._permit(person, "settle", trace_id)
        self._require_free(trace_id, person, is_insisting=is_insisting)
        revision = self._store.revisions.get(revision_id)
        if revision.trace_id != trace_id:
            raise InvalidInput("This version belongs to another trace.")
        if verdict == "accepted" and (found := trace_problems(revision.trace)):
            raise InvalidInput(" ".join(found))
        self._store.rounds.adjudicate(revision_id, person, verdict, reason)
        return self._store.traces.get(trace_id)

    def prefer(self, chosen_id: str, rejected_id: str, person: str, *, is_tie: bool = False) -> Preference:
        """Of two revisions of the same question the better one, or neither. Raises NotFound, and InvalidInput where they
        cannot be compared."""
        self._permit(person, "prefer")
        self.require_seen(person, *(self._store.revisions.get(one).trace_id for one in (chosen_id, rejected_id)))
        return self._store.preferences.record(chosen_id, rejected_id, person, is_tie=is_tie)

    def take_back_preference(self, preference_id: str, person: str) -> Preference:
        """Raises NotFound, NotAllowed for somebody else's, InvalidInput for one that was taken back before."""
        self._permit(person, "take_back")
        preference = self._store.preferences.get(preference_id)
        if preference.author != person:
            raise NotAllowed(f"this is the preference of {preference.author}; only they can take it back")
        if preference.undone_at is not None:
            raise InvalidInput("This preference was taken back already.")
        return self._store.preferences.undo(preference_id)

    def _standing(self, trace_id: str, person: str) -> tuple[Revision, Draft | None, int]:
        """The head, and the person's draft with its counter; None for a trace that cannot be edited. Raises NotFound."""
        head = self._store.revisions.head(trace_id)
        try:
            return head, *self._draft(trace_id, person)
        except InvalidInput:
            return head, None, 0
