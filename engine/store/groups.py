"""Attempts that stand together in the queue: of a group (`engine.store.attempts.group_id`) only one is listed.

The idea: a page is walked in the queue's order as if there were no groups, and of each group the first one is taken. Whether
a group was listed on an earlier page already is not remembered: its members are few, so they are looked at, each by the very
words and the very order that the page is asked for.

Not covered: walking (`engine.store.queue`), which attempts make a group (`engine.jobs.keeping`).
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Sequence

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

    def listed(self, groups: Collection[str], query: Query, start: sqlite3.Row | None, low: int, high: int) -> set[str]:
        """Those of `groups` of which a member that `query` finds stands at the place of the trace `start` or before it, in
        the query's order; among numbers from `low` to `high`."""
        if start is None or not groups:
            return set()
        marks = ", ".join("?" * len(groups))
        members = self._connections.rows(
            f"SELECT group_id, number, updated_at FROM traces INDEXED BY traces_by_group "
            f"WHERE group_id IN ({marks}) AND number BETWEEN ? AND ?",
            (*groups, low, high),
        )
        level = self.level(start["number"]) if query.order == "suggested" else 0
        # Most attempts at one question were recorded one after another: few groups lie on both sides.
        before = [one for one in members if query.order == "suggested" or _is_up_to(one, query, start)]
        words, typed = set(query.words()), search_expression(query.search)
        found: set[str] = set()
        for one in before:
            if one["group_id"] in found:
                continue
            facets = self._facets(one["number"])
            is_found = words <= set(facets.split())
            if query.order == "suggested":
                is_found = is_found and (level_of(facets), one["number"]) >= (level, start["number"])
            if is_found and (not typed or self._says(one["number"], typed)):
                found.add(one["group_id"])
        return found

    def level(self, number: int) -> int:
        """How much a trace teaches."""
        return level_of(self._facets(number))

    def _facets(self, number: int) -> str:
        row = self._connections.row("SELECT facets FROM trace_search WHERE rowid = ?", (number,))
        return row["facets"] if row else ""

    def _says(self, number: int, typed: str) -> bool:
        sql = "SELECT 1 FROM trace_search WHERE trace_search MATCH ? AND rowid = ?"
        return self._connections.row(sql, (typed, number)) is not None


def _is_up_to(one: sqlite3.Row, query: Query, start: sqlite3.Row) -> bool:
    if query.order == "oldest":
        return bool(one["number"] <= start["number"])
    if query.order == "updated":
        return bool((one["updated_at"], one["number"]) >= (start["updated_at"], start["number"]))
    return bool(one["number"] >= start["number"])
