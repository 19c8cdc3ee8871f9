"""Reviews: people's verdicts, each on one revision.

Invariants:
- a review is never deleted; undoing one dates it as undone and its verdict stops counting;
- a trace's status follows from the reviews of its head alone: a new version wants a new verdict;
- a skip is recorded but decides nothing;
- what was reviewed is private to nobody (`engine.store.sight`).

Not covered: who may review (the screens).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Literal, get_args

from engine.errors import InvalidInput, NotFound
from engine.store.connection import Connections
from engine.store.identity import new_id, now, storable
from engine.store.packing import next_number
from engine.store.revisions import Revision, Revisions, refresh_status

__all__ = ["VERDICTS", "Review", "Reviews", "Verdict"]

Verdict = Literal["accepted", "rejected", "skipped", "flagged"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Review:
    """One verdict. `is_of_head` is False where the trace has moved on to another revision; `undone_at` is None while
    the verdict stands."""

    id: str
    trace_id: str
    revision_id: str
    reviewer: str
    verdict: Verdict
    reason: str
    created_at: str
    undone_at: str | None
    is_of_head: bool


_SELECT = (
    "SELECT v.*, t.head_id = v.revision_id AS is_of_head FROM reviews v CROSS JOIN traces t ON t.id = v.trace_id WHERE "
)


class Reviews:
    def __init__(self, connections: Connections, revisions: Revisions) -> None:
        self._connections = connections
        self._revisions = revisions

    def record(self, revision_id: str, reviewer: str, verdict: Verdict, reason: str = "") -> Review:
        """Records a verdict and sets the trace's status from it, where the revision is the trace's head.

        A verdict on an older version is kept, but changes no status: see `is_of_head`. Raises InvalidInput for an
        unknown verdict, NotFound for an unknown revision.
        """
        if verdict not in VERDICTS:
            raise InvalidInput(f"the verdict {verdict!r} is none of {', '.join(VERDICTS)}")
        with self._connections.write() as db:
            trace_id = self._revisions.get(revision_id).trace_id
            review_id = new_id()
            db.conn.execute(
                "INSERT INTO reviews (number, id, trace_id, revision_id, reviewer, verdict, reason, created_at) "
                f"VALUES ({next_number('reviews')}, ?, ?, ?, ?, ?, ?, ?)",
                (review_id, trace_id, revision_id, storable(reviewer), verdict, storable(reason), now()),
            )
            db.conn.execute("UPDATE traces SET is_private = 0 WHERE id = ? AND is_private", (trace_id,))
            refresh_status(self._connections, trace_id)
            return self.get(review_id)

    def get(self, review_id: str) -> Review:
        """Raises NotFound."""
        row = self._connections.row(_SELECT + "v.id = ?", (review_id,))
        if row is None:
            raise NotFound(f"there is no review {review_id!r} in the store")
        return _review(row)

    def undo(self, reviewer: str, trace_id: str | None = None) -> Review | None:
        """Takes back the latest standing review by `reviewer` (of that trace, where one is named) and returns it; None
        where there is nothing to take back."""
        with self._connections.write() as db:
            row = self._connections.row(
                "SELECT id, trace_id FROM reviews WHERE reviewer = ? AND undone_at IS NULL "
                "AND (? IS NULL OR trace_id = ?) ORDER BY number DESC LIMIT 1",
                (storable(reviewer), trace_id, trace_id),
            )
            if row is None:
                return None
            db.conn.execute("UPDATE reviews SET undone_at = ? WHERE id = ?", (now(), row["id"]))
            refresh_status(self._connections, row["trace_id"])
            return self.get(row["id"])

    def accepted(self) -> list[Revision]:
        """The heads that are accepted, in the order their traces were recorded: what fine-tuning learns from."""
        rows = self._connections.rows("SELECT head_id FROM traces WHERE status = 'accepted' ORDER BY number")
        return [self._revisions.get(row["head_id"]) for row in rows]

    def list(self, trace_id: str) -> list[Review]:
        """All reviews of a trace's revisions, the undone ones too, in the order they were given."""
        rows = self._connections.rows(_SELECT + "v.trace_id = ? ORDER BY v.number", (trace_id,))
        return [_review(row) for row in rows]


def _review(row: sqlite3.Row) -> Review:
    return Review(
        row["id"],
        row["trace_id"],
        row["revision_id"],
        row["reviewer"],
        row["verdict"],
        row["reason"],
        row["created_at"],
        row["undone_at"],
        bool(row["is_of_head"]),
    )
