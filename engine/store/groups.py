"""Attempts that stand together in the queue: of a group (`engine.store.attempts.group_id`) only one is listed.

The idea: a page is walked in the queue's order as if there were no groups, and of each group the first one is taken. Whether
a group was listed on an earlier page already is not remembered: its members are few, so they are looked at, each by the very
words and the very order that the page is asked for.

Not covered: walking (`engine.store.queue`), which attempts make a group (`engine.jobs.keeping`).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence

from engine.store.connection import Connections
from engine.store.query import Query
from engine.store.search import search_expression

__all__ = ["Groups", "level_of"]


def level_of(facets: str) -> int:
    """How much a trace with these words teaches, from 0 to 9 (`engine.store.facets`)."""
    found = re.search(r"\bteach(\d)\b", facets)
    return int(found.group(1)) if found else 9


class Groups:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def places(self, numbers: Sequence[int]) -> list[sqlite3.Row]:
        """ "number", "updated_at" and "group_id" (None where it stands alone) of each of these traces, in their order."""
        marks = ", ".join("?" * len(numbers))
        sql = f"SELECT number, updated_at, group_id FROM traces WHERE number IN ({marks})"
        rows = {row["number"]: row for row in self._connections.rows(sql, numbers)}
        return [rows[number] for number in numbers if number in rows]

    def was_listed(self, group: str, query: Query, start: sqlite3.Row, low: int, high: int) -> bool:
        """Whether a member of `group` that `query` finds stands at the place of the trace `start` or before it, in the
        query's order; among numbers from `low` to `high`."""
        words = set(query.words())
        rows = self._connections.rows(
            "SELECT t.number, t.updated_at, s.facets FROM traces t JOIN trace_search s ON s.rowid = t.number "
            "WHERE t.group_id = ? AND t.number BETWEEN ? AND ?",
            (group, low, high),
        )
        before = [
            row["number"] for row in rows if words <= set(row["facets"].split()) and self._is_up_to(row, query, start)
        ]
        typed = search_expression(query.search)
        if not before or not typed:
            return bool(before)
        marks = ", ".join("?" * len(before))
        sql = f"SELECT 1 FROM trace_search WHERE trace_search MATCH ? AND rowid IN ({marks}) LIMIT 1"
        return self._connections.row(sql, (typed, *before)) is not None

    def _is_up_to(self, row: sqlite3.Row, query: Query, start: sqlite3.Row) -> bool:
        if query.order == "oldest":
            return bool(row["number"] <= start["number"])
        if query.order == "updated":
            return bool((row["updated_at"], row["number"]) >= (start["updated_at"], start["number"]))
        if query.order == "suggested":
            return bool((level_of(row["facets"]), row["number"]) >= (self.level(start["number"]), start["number"]))
        return bool(row["number"] >= start["number"])

    def level(self, number: int) -> int:
        row = self._connections.row("SELECT facets FROM trace_search WHERE rowid = ?", (number,))
        return level_of(row["facets"] if row else "")
