"""Rounds of review: several verdicts on one trace, blind until given, and what becomes of disagreement.

Invariants:
- while a round is open, a person sees the verdicts of others only after giving their own on the head, and the trace's
  status tells nothing (`engine.store.revisions.refresh_status`);
- a bulk action is a list of ordinary reviews; undoing it undoes those, and only those, that still stand;
- reviews, adjudications and actions are kept for ever.

Not covered: statistics of agreement (`engine.agreement`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from engine.errors import InvalidInput, NotFound
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.history import record_event
from engine.store.identity import new_id, now, storable
from engine.store.packing import next_number
from engine.store.reviews import Review, Reviews, Verdict
from engine.store.revisions import Revisions, refresh_status

__all__ = ["Adjudication", "BulkAction", "PassedOver", "Round", "Rounds"]

MAX_REVIEWS = 20
_BATCH = 100


@dataclass(frozen=True, slots=True)
class Round:
    """`wanted` reviews of a trace's head; `given` counts the people who have decided."""

    trace_id: str
    wanted: int
    given: int
    state: Literal["open", "agreed", "disputed", "adjudicated"]


@dataclass(frozen=True, slots=True)
class Adjudication:
    """The last word on a disputed head."""

    id: str
    trace_id: str
    revision_id: str
    author: str
    verdict: Literal["accepted", "rejected"]
    reason: str
    created_at: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A trace that a decision on many left alone, and why, as a sentence."""

    trace_id: str
    why: str


@dataclass(frozen=True, slots=True)
class BulkAction:
    """One verdict on many traces. `passed_over` is told when it is made and not kept."""

    id: str
    author: str
    verdict: Verdict
    reviewed: int
    passed_over: tuple[PassedOver, ...]
    undone_at: str | None


class Rounds:
    def __init__(self, connections: Connections, revisions: Revisions, reviews: Reviews) -> None:
        self._connections = connections
        self._revisions = revisions
        self._reviews = reviews

    def ask(self, trace_id: str, wanted: int, author: str) -> Round:
        """Asks for `wanted` (1 to 20) people's reviews of a trace; 1 ends the round. Raises NotFound, InvalidInput."""
        if not 1 <= wanted <= MAX_REVIEWS:
            raise InvalidInput(f"a round has 1 to {MAX_REVIEWS} reviews, not {wanted}")
        with self._connections.write() as db:
            before = self.of(trace_id).wanted
            if wanted == 1:
                db.conn.execute("DELETE FROM review_rounds WHERE trace_id = ?", (trace_id,))
            else:
                db.conn.execute(
                    "INSERT INTO review_rounds (trace_id, wanted, author, created_at) VALUES (?, ?, ?, ?) "
                    "ON CONFLICT (trace_id) DO UPDATE SET wanted = excluded.wanted",
                    (trace_id, wanted, storable(author), now()),
                )
            if wanted != before:
                kind, count = ("ended", before) if wanted == 1 else ("asked", wanted)
                record_event(self._connections, trace_id, author, kind, f"{count} reviews")
            refresh_status(self._connections, trace_id)
            return self.of(trace_id)

    def of(self, trace_id: str) -> Round:
        """The round of a trace; one wanted review where none was asked for. Raises NotFound."""
        given = len(self._deciders(trace_id))
        row = self._connections.row("SELECT wanted, state FROM review_rounds WHERE trace_id = ?", (trace_id,))
        if row is None:
            self._revisions.head(trace_id)
            return Round(trace_id, 1, given, "agreed" if given else "open")
        return Round(trace_id, row["wanted"], given, row["state"])

    def visible(self, trace_id: str, viewer: str) -> list[Review]:
        """The reviews that `viewer` may see: all, or in an open round on which they have not decided only their own."""
        reviews = self._reviews.list(trace_id)
        name, round = storable(viewer), self.of(trace_id)
        if round.wanted > 1 and round.state == "open" and name not in self._deciders(trace_id):
            return [review for review in reviews if review.reviewer == name]
        return reviews

    def adjudicate(
        self, revision_id: str, author: str, verdict: Literal["accepted", "rejected"], reason: str = ""
    ) -> Adjudication:
        """Decides a disputed head; it becomes the trace's status. Raises InvalidInput where nothing is disputed, or the
        revision is no longer the head; NotFound."""
        if verdict not in ("accepted", "rejected"):
            raise InvalidInput(f"an adjudication is accepted or rejected, not {verdict!r}")
        with self._connections.write() as db:
            trace_id = self._revisions.get(revision_id).trace_id
            if self._revisions.head(trace_id).id != revision_id:
                raise InvalidInput("this version is no longer the trace's latest; look at the latest and decide again")
            if self.of(trace_id).state not in ("disputed", "adjudicated"):
                raise InvalidInput("the reviewers of this trace do not disagree, so there is nothing to adjudicate")
            made = Adjudication(new_id(), trace_id, revision_id, storable(author), verdict, storable(reason), now())
            db.conn.execute(
                "INSERT INTO adjudications (number, id, trace_id, revision_id, author, verdict, reason, created_at) "
                f"VALUES ({next_number('adjudications')}, ?, ?, ?, ?, ?, ?, ?)",
                (made.id, trace_id, revision_id, made.author, verdict, made.reason, made.created_at),
            )
            refresh_status(self._connections, trace_id)
            return made

    def verdicts(self, limit: int = 10_000) -> list[dict[str, str]]:
        """For agreement: of every revision that two or more people decided on (newest first, at most `limit`), each
        person's latest standing verdict."""
        rows = self._connections.rows(
            """SELECT revision_id, reviewer, verdict, max(number) FROM reviews
            WHERE undone_at IS NULL AND verdict <> 'skipped' AND revision_id IN (
                SELECT revision_id FROM reviews WHERE undone_at IS NULL AND verdict <> 'skipped'
                GROUP BY revision_id HAVING count(DISTINCT reviewer) > 1 ORDER BY max(number) DESC LIMIT ?)
            GROUP BY revision_id, reviewer ORDER BY revision_id, reviewer""",
            (limit,),
        )
        units: dict[str, dict[str, str]] = {}
        for row in rows:
            units.setdefault(row["revision_id"], {})[row["reviewer"]] = row["verdict"]
        return list(units.values())

    # --- many at once ------------------------------------------------------------------------------------------------

    def review_all(
        self,
        trace_ids: Sequence[str],
        reviewer: str,
        verdict: Verdict,
        reason: str = "",
        objection: Callable[[str], str | None] = lambda trace_id: None,
    ) -> BulkAction:
        """The same verdict on the heads of all these traces, in batches, so that others can write in between.
        `objection(trace_id)` is asked in the transaction of the verdict; a trace with one is passed over. Raises
        InvalidInput, NotFound."""
        if verdict not in get_args(Verdict):
            raise InvalidInput(f"the verdict {verdict!r} is none of {', '.join(get_args(Verdict))}")
        action_id, person = new_id(), storable(reviewer)
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT INTO bulk_actions (number, id, author, verdict, created_at) "
                f"VALUES ({next_number('bulk_actions')}, ?, ?, ?, ?)",
                (action_id, person, verdict, now()),
            )
        passed_over: list[PassedOver] = []
        wanted = list(dict.fromkeys(trace_ids))
        for start in range(0, len(wanted), _BATCH):
            with self._connections.write() as db:
                for trace_id in wanted[start : start + _BATCH]:
                    if (why := objection(trace_id)) is not None:
                        passed_over.append(PassedOver(trace_id, why))
                        continue
                    review = self._reviews.record(self._head_id(trace_id), reviewer, verdict, reason)
                    db.conn.execute("INSERT INTO bulk_reviews VALUES (?, ?)", (action_id, review.id))
        return BulkAction(action_id, person, verdict, len(wanted) - len(passed_over), tuple(passed_over), None)

    def action(self, action_id: str) -> BulkAction:
        """An earlier action. Raises NotFound."""
        row = self._connections.row(
            "SELECT *, (SELECT count(*) FROM bulk_reviews WHERE action_id = a.id) AS reviewed FROM bulk_actions a "
            "WHERE id = ?",
            (action_id,),
        )
        if row is None:
            raise NotFound(f"there is no bulk action {action_id!r} in the store")
        return BulkAction(row["id"], row["author"], row["verdict"], row["reviewed"], (), row["undone_at"])

    def undo_all(self, action_id: str) -> int:
        """Takes back the reviews of a bulk action that still stand, and returns how many. Raises NotFound."""
        self.action(action_id)
        sql = (
            "SELECT v.id, v.trace_id FROM bulk_reviews b JOIN reviews v ON v.id = b.review_id "
            "WHERE b.action_id = ? AND v.undone_at IS NULL ORDER BY v.number"
        )
        standing = self._connections.rows(sql, (action_id,))
        undone = 0
        for start in range(0, len(standing), _BATCH):
            with self._connections.write() as db:
                for row in standing[start : start + _BATCH]:
                    undone += db.conn.execute(
                        "UPDATE reviews SET undone_at = ? WHERE id = ? AND undone_at IS NULL", (now(), row["id"])
                    ).rowcount
                    refresh_status(self._connections, row["trace_id"])
        with self._connections.write() as db:
            db.conn.execute("UPDATE bulk_actions SET undone_at = ? WHERE id = ?", (now(), action_id))
        return undone

    def _head_id(self, trace_id: str) -> str:
        row = self._connections.row("SELECT head_id FROM traces WHERE id = ?", (trace_id,))
        if row is None:
            raise absent(self._connections, "traces", trace_id)
        return str(row["head_id"])

    def _deciders(self, trace_id: str) -> set[str]:
        rows = self._connections.rows(
            "SELECT DISTINCT v.reviewer FROM reviews v JOIN traces t ON t.head_id = v.revision_id "
            "WHERE t.id = ? AND v.undone_at IS NULL AND v.verdict <> 'skipped'",
            (trace_id,),
        )
        return {row["reviewer"] for row in rows}
