"""Tags on traces, and saved views of the queue: the words that people sort their work by.

Invariant: a tag is on a trace once, whoever put it there; a saved view is a plain query (`engine.store.queue.Query`) with
a name, one of each name for each owner.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from engine.errors import InvalidInput
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.history import record_event
from engine.store.identity import canonical_json, now, storable
from engine.store.query import Query

__all__ = ["MAX_TAG_LENGTH", "SavedView", "Tags"]

MAX_TAG_LENGTH = 40


@dataclass(frozen=True, slots=True)
class SavedView:
    owner: str
    name: str
    query: Query


class Tags:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def add(self, trace_id: str, tag: str, author: str) -> tuple[str, ...]:
        """Puts a tag on a trace and returns all its tags. Raises InvalidInput for an empty or long tag, NotFound."""
        word = " ".join(storable(tag).split())
        if not 1 <= len(word) <= MAX_TAG_LENGTH:
            raise InvalidInput(f"a tag has 1 to {MAX_TAG_LENGTH} characters, not {len(word)}")
        with self._connections.write() as db:
            if self._connections.row("SELECT 1 FROM traces WHERE id = ?", (trace_id,)) is None:
                raise absent(self._connections, "traces", trace_id)
            is_new = db.conn.execute(
                "INSERT OR IGNORE INTO trace_tags VALUES (?, ?, ?, ?)", (trace_id, word, storable(author), now())
            ).rowcount
            if is_new:
                record_event(self._connections, trace_id, author, "tagged", word)
            return self.of(trace_id)

    def remove(self, trace_id: str, tag: str, author: str) -> tuple[str, ...]:
        """Takes a tag off a trace and returns those that are left; nothing happens where it has no such tag. Raises
        NotFound."""
        with self._connections.write() as db:
            if self._connections.row("SELECT 1 FROM traces WHERE id = ?", (trace_id,)) is None:
                raise absent(self._connections, "traces", trace_id)
            word = storable(tag)
            if db.conn.execute("DELETE FROM trace_tags WHERE trace_id = ? AND tag = ?", (trace_id, word)).rowcount:
                record_event(self._connections, trace_id, author, "untagged", word)
            return self.of(trace_id)

    def of(self, trace_id: str) -> tuple[str, ...]:
        rows = self._connections.rows("SELECT tag FROM trace_tags WHERE trace_id = ? ORDER BY tag", (trace_id,))
        return tuple(row["tag"] for row in rows)

    def all(self) -> dict[str, int]:
        """Every tag and how many traces have it."""
        return {row[0]: row[1] for row in self._connections.rows("SELECT tag, count(*) FROM trace_tags GROUP BY tag")}

    def save_view(self, owner: str, name: str, query: Query) -> SavedView:
        """Keeps a query under a name; the same name is replaced."""
        word = " ".join(storable(name).split())
        if not 1 <= len(word) <= MAX_TAG_LENGTH:
            raise InvalidInput(f"the name of a view has 1 to {MAX_TAG_LENGTH} characters, not {len(word)}")
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT INTO saved_views VALUES (?, ?, ?, ?) ON CONFLICT (owner, name) DO UPDATE SET query = excluded.query",
                (storable(owner), word, canonical_json(query.to_params()), now()),
            )
        return SavedView(storable(owner), word, query)

    def delete_view(self, owner: str, name: str) -> None:
        with self._connections.write() as db:
            db.conn.execute("DELETE FROM saved_views WHERE owner = ? AND name = ?", (storable(owner), storable(name)))

    def views(self, owner: str) -> list[SavedView]:
        sql = "SELECT owner, name, query FROM saved_views WHERE owner = ? ORDER BY name"
        rows = self._connections.rows(sql, (storable(owner),))
        return [SavedView(row["owner"], row["name"], Query.from_params(json.loads(row["query"]))) for row in rows]
