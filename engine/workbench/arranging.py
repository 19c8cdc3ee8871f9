"""Arranging the work: tags, who should look at a trace, how many reviews it wants, who is looking at it now.

None of it changes what a trace says, so it may be done while somebody is working on it.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.store import Query, Reservation, Round, SavedView
from engine.workbench.door import Door

__all__ = ["Arranging"]


class Arranging(Door):
    def tag(self, trace_id: str, tag: str, person: str, *, is_on: bool = True) -> tuple[str, ...]:
        """Puts a tag on a trace, or takes it off; returns all its tags. Raises NotFound, and InvalidInput for a tag that is
        empty or too long."""
        self._permit(person, "tag", trace_id)
        tags = self._store.tags
        return tags.add(trace_id, tag, person) if is_on else tags.remove(trace_id, tag, person)

    def assign(self, trace_id: str, to: str, person: str, *, is_on: bool = True) -> None:
        """Gives a trace to the person `to`, or takes it from them. Raises NotFound, and InvalidInput without a name."""
        self._permit(person, "assign", trace_id)
        change = self._store.reservations.assign if is_on else self._store.reservations.unassign
        change(trace_id, to, person)

    def ask_reviews(self, trace_id: str, wanted: int, person: str) -> Round:
        """Asks for `wanted` (1 to 20) people's reviews; 1 ends the round. Raises NotFound, InvalidInput."""
        self._permit(person, "ask_reviews", trace_id)
        return self._store.rounds.ask(trace_id, wanted, person)

    def hold(self, trace_id: str, person: str) -> Reservation:
        """Reserves a trace for the person, or longer. Raises Reserved (a Conflict) where somebody else holds it, and
        NotFound."""
        self._permit(person, "hold", trace_id)
        return self._store.reservations.take(trace_id, person)

    def release(self, trace_ids: Sequence[str], person: str) -> None:
        """Lets go of those that the person holds."""
        self._permit(person, "hold")
        for trace_id in trace_ids:
            self._store.reservations.release(trace_id, person)

    def keep_view(self, name: str, query: Query | None, person: str) -> SavedView | None:
        """Keeps a query of the queue under a name of the person's own; None forgets that name. Raises InvalidInput."""
        self._permit(person, "keep_view")
        if query is None:
            self._store.tags.delete_view(person, name)
            return None
        return self._store.tags.save_view(person, name, query)
