"""Preferences: of two attempts at the same question the better one, as a person sees it.

Invariants: both sides are revisions of the same question about the same media, and differ; a preference is never deleted,
undoing dates it.

Not covered: training on them (`engine.exchange` writes them as preference pairs).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import combinations

from engine.errors import InvalidInput, NotFound
from engine.store.connection import Connections
from engine.store.identity import new_id, now, storable
from engine.store.packing import next_number
from engine.store.query import Seer
from engine.store.revisions import Revisions, example_key
from engine.store.traces import QueueItem, item_of

__all__ = ["Preference", "Preferences"]

_BATCH = 200


@dataclass(frozen=True, slots=True)
class Preference:
    """Revision `chosen_id` is better than `rejected_id`; in a tie neither is."""

    id: str
    chosen_id: str
    rejected_id: str
    is_tie: bool
    author: str
    reason: str
    created_at: str
    undone_at: str | None


class Preferences:
    def __init__(self, connections: Connections, revisions: Revisions) -> None:
        self._connections = connections
        self._revisions = revisions

    def record(
        self, chosen_id: str, rejected_id: str, author: str, *, is_tie: bool = False, reason: str = ""
    ) -> Preference:
        """Raises NotFound for an unknown revision, InvalidInput where the two cannot be compared."""
        chosen, rejected = self._revisions.get(chosen_id), self._revisions.get(rejected_id)
        if example_key(chosen.trace) != example_key(rejected.trace):
            raise InvalidInput("only two attempts at the same question about the same media can be compared")
        if chosen.trace.steps == rejected.trace.steps:
            raise InvalidInput("these two attempts are the same, so neither can be preferred")
        made = Preference(new_id(), chosen_id, rejected_id, is_tie, storable(author), storable(reason), now(), None)
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT INTO preferences (number, id, chosen_id, rejected_id, is_tie, author, reason, created_at) "
                f"VALUES ({next_number('preferences')}, ?, ?, ?, ?, ?, ?, ?)",
                (made.id, chosen_id, rejected_id, int(is_tie), made.author, made.reason, made.created_at),
            )
        return made

    def get(self, preference_id: str) -> Preference:
        """Raises NotFound."""
        row = self._connections.row("SELECT * FROM preferences WHERE id = ?", (preference_id,))
        if row is None:
            raise NotFound(f"there is no preference {preference_id!r} in the store")
        return _preference(row)

    def undo(self, preference_id: str) -> Preference:
        """Dates it as taken back, once. Raises NotFound."""
        with self._connections.write() as db:
            db.conn.execute(
                "UPDATE preferences SET undone_at = ? WHERE id = ? AND undone_at IS NULL", (now(), preference_id)
            )
            return self.get(preference_id)

    def siblings(self, trace_id: str, limit: int = 50) -> list[QueueItem]:
        """The other traces of the same question about the same media, newest first: what it can be compared with."""
        sql = (
            "SELECT o.* FROM traces t JOIN traces o ON o.example_key = t.example_key AND o.id <> t.id "
            "WHERE t.id = ? ORDER BY o.number DESC LIMIT ?"
        )
        return [item_of(row) for row in self._connections.rows(sql, (trace_id, limit))]

    def differing(
        self, author: str, after: str = "", *, seer: Seer | None = None
    ) -> tuple[str, QueueItem, QueueItem] | None:
        """The next example whose attempts came to answers that `author` has not compared yet: its key, and the newest attempt
        at each of two answers, the most frequent ones first; of attempts that `seer` may see (None: all). Examples come in the
        order of their keys, from behind `after`; None behind the last."""
        sql = "SELECT example_key FROM example_groups WHERE disagreement > 0 AND example_key > ? ORDER BY 1 LIMIT ?"
        while keys := self._connections.rows(sql, (after, _BATCH)):
            for row in keys:
                after = row["example_key"]
                if (pair := self._uncompared(after, author, seer)) is not None:
                    return after, *pair
        return None

    def _uncompared(self, example_key: str, author: str, seer: Seer | None) -> tuple[QueueItem, QueueItem] | None:
        answers: dict[str, list[QueueItem]] = {}
        sql = "SELECT * FROM traces WHERE example_key = ? ORDER BY number DESC"
        for row in self._connections.rows(sql, (example_key,)):
            if seer is None or seer.sees(row["author"], is_private=bool(row["is_private"])):
                answers.setdefault(row["answer"] or "", []).append(item_of(row))
        compared = {
            frozenset((row["one"], row["other"]))
            for row in self._connections.rows(
                "SELECT coalesce(t.answer, '') AS one, coalesce(o.answer, '') AS other FROM preferences p "
                "JOIN revisions a ON a.id = p.chosen_id JOIN traces t ON t.id = a.trace_id "
                "JOIN revisions b ON b.id = p.rejected_id JOIN traces o ON o.id = b.trace_id "
                "WHERE p.author = ? AND p.undone_at IS NULL AND t.example_key = ?",
                (storable(author), example_key),
            )
        }
        frequent = sorted(answers, key=lambda answer: -len(answers[answer]))
        open_pairs = (pair for pair in combinations(frequent, 2) if frozenset(pair) not in compared)
        return next(((answers[one][0], answers[other][0]) for one, other in open_pairs), None)

    def list(self, limit: int = 1000) -> list[Preference]:
        """The standing preferences, newest first."""
        sql = "SELECT * FROM preferences WHERE undone_at IS NULL ORDER BY number DESC LIMIT ?"
        return [_preference(row) for row in self._connections.rows(sql, (limit,))]


def _preference(row: sqlite3.Row) -> Preference:
    return Preference(
        row["id"],
        row["chosen_id"],
        row["rejected_id"],
        bool(row["is_tie"]),
        row["author"],
        row["reason"],
        row["created_at"],
        row["undone_at"],
    )
