"""Drafts: each person's unfinished changes to a trace, kept at every change.

Invariants:
- one draft for each trace and author; it is saved by compare-and-set on a counter, so that two tabs of one person do not
  overwrite each other: the later one raises StaleDraft with what is kept;
- a draft is opaque here, plain JSON (`engine.editing.draft_to_json`).

Not covered: what a draft says (`engine.editing`), saving it as a revision (`engine.workbench`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Conflict
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.identity import canonical_json, now, storable

__all__ = ["Drafts", "SavedDraft", "StaleDraft"]


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """`counter` goes up by one with each save, from 1."""

    trace_id: str
    author: str
    counter: int
    base_revision_id: str
    is_changed: bool
    data: dict[str, Any]
    updated_at: str


class StaleDraft(Conflict):
    """The draft was changed elsewhere. `saved` is what is kept now; None where it was discarded."""

    def __init__(self, saved: SavedDraft | None) -> None:
        super().__init__(
            "you changed this trace in another tab; what is kept there is shown now, so make the change again"
        )
        self.saved = saved


class Drafts:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def find(self, trace_id: str, author: str) -> SavedDraft | None:
        sql = "SELECT * FROM drafts WHERE trace_id = ? AND author = ?"
        row = self._connections.row(sql, (trace_id, storable(author)))
        return None if row is None else _draft(row)

    def save(
        self, trace_id: str, author: str, data: Mapping[str, Any], base_revision_id: str, is_changed: bool, counter: int
    ) -> SavedDraft:
        """Keeps the draft in place of the one numbered `counter` (0: there is none yet).

        Raises StaleDraft (a Conflict) where another one is kept, NotFound for an unknown trace.
        """
        with self._connections.write() as db:
            if self._connections.row("SELECT 1 FROM traces WHERE id = ?", (trace_id,)) is None:
                raise absent(self._connections, "traces", trace_id)
            kept = self.find(trace_id, author)
            if counter != (kept.counter if kept else 0):
                raise StaleDraft(kept)
            saved = SavedDraft(trace_id, storable(author), counter + 1, base_revision_id, is_changed, dict(data), now())
            db.conn.execute(
                "INSERT INTO drafts (trace_id, author, counter, base_revision_id, is_changed, data, updated_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (trace_id, author) DO UPDATE SET counter = excluded.counter, "
                "base_revision_id = excluded.base_revision_id, is_changed = excluded.is_changed, data = excluded.data, "
                "updated_at = excluded.updated_at",
                (
                    trace_id,
                    saved.author,
                    saved.counter,
                    base_revision_id,
                    int(is_changed),
                    canonical_json(saved.data),
                    saved.updated_at,
                ),
            )
            return saved

    def discard(self, trace_id: str, author: str, counter: int) -> None:
        """Throws the draft away. Raises StaleDraft where it is another by now."""
        with self._connections.write() as db:
            kept = self.find(trace_id, author)
            if counter != (kept.counter if kept else 0):
                raise StaleDraft(kept)
            db.conn.execute("DELETE FROM drafts WHERE trace_id = ? AND author = ?", (trace_id, storable(author)))

    def record_edits(self, revision_id: str, edits: Sequence[Mapping[str, Any]]) -> None:
        """Keeps which edits led to a revision."""
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT OR IGNORE INTO revision_edits VALUES (?, ?)",
                (revision_id, canonical_json([dict(edit) for edit in edits])),
            )

    def edits(self, revision_id: str) -> list[dict[str, Any]]:
        """The edits that led to a revision, as JSON, in order; empty for a model's own."""
        row = self._connections.row("SELECT edits FROM revision_edits WHERE revision_id = ?", (revision_id,))
        return [] if row is None else json.loads(row["edits"])


def _draft(row: sqlite3.Row) -> SavedDraft:
    return SavedDraft(
        row["trace_id"],
        row["author"],
        row["counter"],
        row["base_revision_id"],
        bool(row["is_changed"]),
        json.loads(row["data"]),
        row["updated_at"],
    )
