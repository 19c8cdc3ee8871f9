"""History: who did what to a trace, and when, in one list; what blanking a crop did to an answer, what a look was worth.

Invariants: it is read from records that are only ever added to (revisions, reviews, adjudications, and events for tags,
assignments and rounds), so nothing that happened is forgotten; an event is recorded in the transaction of what it tells.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from engine.store.connection import Connections
from engine.store.identity import now, storable
from engine.store.packing import next_number

__all__ = ["BlankCheck", "History", "HistoryEvent", "WeighedLook", "record_event"]


@dataclass(frozen=True, slots=True)
class HistoryEvent:
    """`kind` is recorded, revised, branched, a verdict, undone, adjudicated, tagged, untagged, assigned, unassigned, asked
    or ended (a round); `detail` is a reason, a tag or a name; `revision_id` is None where the event concerns the trace."""

    at: str
    who: str
    kind: str
    detail: str
    revision_id: str | None


@dataclass(frozen=True, slots=True)
class BlankCheck:
    """With the crop of step `step` (from 0) the policy answered `expected`, with a blank in its place `answer`."""

    revision_id: str
    step: int
    answer: str | None
    expected: str | None
    is_changed: bool
    created_at: str


@dataclass(frozen=True, slots=True)
class WeighedLook:
    """To `policy`, `answer` had the probability `before` (0 to 1) before step `step` (from 0) brought views, `after` then
    (`engine.worth`)."""

    revision_id: str
    step: int
    answer: str
    before: float
    after: float
    policy: str
    created_at: str


class History:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def of(self, trace_id: str, *, is_blind: bool = False, viewer: str = "") -> list[HistoryEvent]:
        """The events of a trace in time order; `is_blind` leaves out what others than `viewer` decided."""
        rows = self._connections.rows(
            """WITH RECURSIVE chain (id, parent_id) AS (
                SELECT r.id, r.parent_id FROM traces t JOIN revisions r ON r.id = t.head_id WHERE t.id = :id
                UNION ALL SELECT r.id, r.parent_id FROM chain c JOIN revisions r ON r.id = c.parent_id)
            SELECT created_at, author, CASE WHEN parent_id IS NULL THEN 'recorded'
                WHEN id IN (SELECT id FROM chain) THEN 'revised' ELSE 'branched' END, 'version ' || number, id
                FROM revisions WHERE trace_id = :id
            UNION ALL SELECT created_at, reviewer, verdict, reason, revision_id FROM reviews
                WHERE trace_id = :id AND (NOT :is_blind OR reviewer = :viewer)
            UNION ALL SELECT undone_at, reviewer, 'undone', verdict, revision_id FROM reviews
                WHERE trace_id = :id AND undone_at IS NOT NULL AND (NOT :is_blind OR reviewer = :viewer)
            UNION ALL SELECT created_at, author, 'adjudicated', verdict, revision_id FROM adjudications
                WHERE trace_id = :id
            UNION ALL SELECT at, coalesce((SELECT person FROM claimed_guests WHERE guest = who), who), kind,
                coalesce((SELECT person FROM claimed_guests WHERE guest = detail), detail), NULL
                FROM trace_events WHERE trace_id = :id
            ORDER BY 1""",
            {"id": trace_id, "is_blind": is_blind, "viewer": viewer},
        )
        return [HistoryEvent(*row) for row in rows]

    def record_blank_check(
        self, revision_id: str, step: int, answer: str | None, expected: str | None, is_changed: bool
    ) -> BlankCheck:
        """Keeps what blanking did; a newer check of the same step replaces the older."""
        made = BlankCheck(revision_id, step, answer, expected, is_changed, now())
        with self._connections.write() as db:
            db.conn.execute("DELETE FROM blank_checks WHERE revision_id = ? AND step = ?", (revision_id, step))
            db.conn.execute(
                "INSERT INTO blank_checks VALUES (?, ?, ?, ?, ?, ?)",
                (revision_id, step, answer, expected, int(is_changed), made.created_at),
            )
        return made

    def blank_checks(self, revision_id: str) -> list[BlankCheck]:
        rows = self._connections.rows("SELECT * FROM blank_checks WHERE revision_id = ? ORDER BY step", (revision_id,))
        return [
            BlankCheck(r["revision_id"], r["step"], r["answer"], r["expected"], bool(r["is_changed"]), r["created_at"])
            for r in rows
        ]

    def record_weighed_look(
        self, revision_id: str, step: int, answer: str, before: float, after: float, policy: str
    ) -> WeighedLook:
        """Keeps what a look was worth; a newer weighing of the same step replaces the older."""
        made = WeighedLook(revision_id, step, answer, before, after, policy, now())
        with self._connections.write() as db:
            db.conn.execute("INSERT OR REPLACE INTO look_worths VALUES (?, ?, ?, ?, ?, ?, ?)", astuple(made))
        return made

    def weighed_looks(self, revision_id: str) -> list[WeighedLook]:
        rows = self._connections.rows("SELECT * FROM look_worths WHERE revision_id = ? ORDER BY step", (revision_id,))
        return [WeighedLook(*row) for row in rows]


def record_event(
    connections: Connections, trace_id: str, who: str, kind: str, detail: str, at: str | None = None
) -> None:
    """Adds what somebody did to a trace, at this moment where none is given. For this package: call it inside `write()`."""
    connections.database().conn.execute(
        "INSERT INTO trace_events (number, trace_id, at, who, kind, detail) "
        f"VALUES ({next_number('trace_events')}, ?, ?, ?, ?, ?)",
        (trace_id, at or now(), storable(who), kind, detail),
    )
