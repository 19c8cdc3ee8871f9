"""The workbench's queue: which traces, in which order, fifty at a time.

The idea: the filters of a query are words of the full-text index (`engine.store.facets`), its dates a range of trace
numbers, so every page is one intersection of sorted lists that stops when the page is full, however many traces there are.
The index gives numbers in their order; the two orders that are none of numbers are walked in pieces that are:

- suggested: from level to level of what teaches most;
- last changed: few matches are all collected and sorted. Where there are many, two streams are merged: what nobody has
  touched since it was recorded is in the order of numbers already, and what was touched is walked from hour to hour.

A page has rows: of attempts that stand together (`engine.store.groups`) it lists the first that the query finds; totals and
`ids` count and name every trace.

Invariants: what a person types can find nothing, but never raise; pages that follow one another by `after` neither repeat
nor skip a trace that does not change in between (while the clock does not go back).
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace

from engine.errors import InvalidInput
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.facets import touched_in
from engine.store.groups import Groups
from engine.store.listing import Listed, listed
from engine.store.query import Query
from engine.store.search import search_expression
from engine.store.traces import COUNT_LIMIT, QueueItem, item_of

__all__ = ["COUNT_S", "FEW", "Queue", "QueuePage"]

COUNT_S = 0.003
"""For how long matches are counted; a page is not kept waiting for its total."""

FEW = 1_000
"""Up to how many matches are collected and sorted for the order "last changed"."""

_ALL = (0, 2**62)
_MOST_AT_ONCE = 2_000

_TOUCHED = "FROM traces INDEXED BY traces_touched WHERE updated_at <> created_at AND updated_at > ? AND updated_at < ?"


@dataclass(frozen=True, slots=True)
class QueuePage:
    """`total` counts all traces that match, up to COUNT_LIMIT and for COUNT_S; where `is_total_exact` is False there are at
    least that many. `has_more` says whether any row follows: a total, which counts attempts that stand together each, does not
    tell it."""

    items: tuple[Listed, ...]
    total: int
    is_total_exact: bool
    has_more: bool


class Queue:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections
        self._groups = Groups(connections)

    def page(self, query: Query | None = None, limit: int = 50, offset: int = 0, after: str | None = None) -> QueuePage:
        """One page; `after` is the id of the last row of the page before (cheaper than a deep `offset`). Raises
        InvalidInput, and NotFound for `after`."""
        if not 1 <= limit <= 1000 or offset < 0:
            raise InvalidInput(f"a page has 1 to 1000 rows from an offset of 0 or more, not {limit} from {offset}")
        query = query or Query()
        # One row more than is shown tells whether any follows.
        numbers, walked = self._first_of_groups(query, limit + 1, offset, after)
        items, has_more = listed(self._connections, numbers[:limit]), len(numbers) > limit
        if after is None and offset == 0 and not has_more:
            # All there is: to count it would look for it a second time, which takes longest where there is little.
            return QueuePage(items, walked, True, has_more)
        total, is_exact = self._total(query)
        return QueuePage(items, total if is_exact else max(total, offset + len(numbers)), is_exact, has_more)

    def one_by_one(self, query: Query, limit: int, after: str | None = None) -> QueuePage:
        """As `page`, with attempts that stand together each in a row of their own: what a program walks. Raises NotFound for
        `after`."""
        numbers = self._numbers(query, limit + 1, 0, None if after is None else self._place(after))
        total, is_exact = self._total(query)
        return QueuePage(listed(self._connections, numbers[:limit]), total, is_exact, len(numbers) > limit)

    def ids(self, query: Query, limit: int) -> list[str]:
        """The ids of the first `limit` traces, for work on all of them."""
        numbers = self._numbers(query, limit, 0, None)
        marks = ", ".join("?" * len(numbers))
        found = self._connections.rows(f"SELECT number, id FROM traces WHERE number IN ({marks})", numbers)
        by_number = {row["number"]: row["id"] for row in found}
        return [by_number[number] for number in numbers]

    def group(self, trace_id: str) -> list[QueueItem]:
        """The attempts that stand together with a trace, itself among them, in the order of recording. Raises NotFound."""
        rows = self._connections.rows(
            "SELECT g.* FROM traces t JOIN traces g ON g.id = t.id OR g.group_id = t.group_id WHERE t.id = ? "
            "ORDER BY g.number",
            (trace_id,),
        )
        if not rows:
            raise absent(self._connections, "traces", trace_id)
        return [item_of(row) for row in rows]

    def _first_of_groups(self, query: Query, limit: int, offset: int, after: str | None) -> tuple[list[int], int]:
        """The numbers of a page's rows, and how many traces were walked for them."""
        wanted, (low, high) = limit + offset, self._range(query)
        start = at = None if after is None else self._place(after)
        found: list[int] = []
        seen: set[str] = set()
        walked, chunk = 0, wanted
        while len(found) < wanted:
            numbers = self._numbers(query, chunk, 0, at)
            walked += len(numbers)
            places = self._groups.places(numbers)
            fresh = {place["group_id"] for place in places} - seen - {None}
            seen |= self._groups.listed(fresh, query, start, low, high)
            for place in places:
                at, group = place, place["group_id"]
                if group not in seen:
                    found.append(place["number"])
                if group is not None:
                    seen.add(group)
            if len(numbers) < chunk:
                break
            # As many as bring the missing rows, as far as those before tell.
            chunk = min(_MOST_AT_ONCE, 8 + walked * (wanted - len(found)) // max(1, len(found)))
        return found[offset:wanted], walked

    def _numbers(self, query: Query, limit: int, offset: int, start: sqlite3.Row | None) -> list[int]:
        """Of all traces that the query finds, in its order, those after `start`."""
        match = self._match(query)
        low, high = self._range(query)
        if query.order == "suggested":
            return self._suggested(match, low, high, limit, offset, start)
        if query.order == "updated":
            return self._updated(query, match, low, high, limit, offset, start)
        if start is not None:
            low, high = (low, start["number"] - 1) if query.order == "newest" else (start["number"] + 1, high)
        return self._in_order(match, low, high, query.order == "oldest", limit, offset)

    def _place(self, trace_id: str) -> sqlite3.Row:
        """The number and the last touch of a trace; of one in the bin, those that it had. Raises NotFound."""
        row = self._connections.row(
            """SELECT number, updated_at FROM traces WHERE id = :id
            UNION ALL SELECT json_extract(row, '$.number'), json_extract(row, '$.updated_at') FROM bin_rows
                WHERE of_table = 'traces' AND name = :id AND act = 'taken'""",
            {"id": trace_id},
        )
        if row is None:
            raise absent(self._connections, "traces", trace_id)
        return row

    def _in_order(
        self, match: str | None, low: int, high: int, is_ascending: bool, limit: int, offset: int
    ) -> list[int]:
        direction = "ASC" if is_ascending else "DESC"
        table, name = ("traces", "number") if match is None else ("trace_search", "rowid")
        condition = "" if match is None else "trace_search MATCH :match AND "
        sql = (
            f"SELECT {name} FROM {table} WHERE {condition}{name} BETWEEN :low AND :high "
            f"ORDER BY {name} {direction} LIMIT :limit OFFSET :offset"
        )
        values = {"match": match, "low": low, "high": high, "limit": limit, "offset": offset}
        return [row[0] for row in self._connections.rows(sql, values)]

    def _suggested(
        self, match: str | None, low: int, high: int, limit: int, offset: int, start: sqlite3.Row | None
    ) -> list[int]:
        level = 9 if start is None else self._groups.level(start["number"])
        found: list[int] = []
        for at in range(level, -1, -1):
            until = start["number"] - 1 if start is not None and at == level else high
            narrowed = " AND ".join(([match] if match else []) + [f'facets : "teach{at}"'])
            found += self._in_order(narrowed, low, until, False, limit + offset - len(found), 0)
            if len(found) >= limit + offset:
                break
        return found[offset:]

    def _updated(
        self, query: Query, match: str | None, low: int, high: int, limit: int, offset: int, start: sqlite3.Row | None
    ) -> list[int]:
        only = query.status if replace(query, status=None, order="newest") == Query() else None
        if match is None or only is not None or self._is_few(match, low, high):
            return self._updated_sorted(only, None if only else match, low, high, limit, offset, start)
        wanted = limit + offset
        untouched = self._untouched(match, low, high, wanted, start)
        until = untouched[-1][0] if len(untouched) == wanted else ""
        touched = self._touched(match, low, high, wanted, until, start)
        return [number for _, number in sorted(untouched + touched, reverse=True)[offset:wanted]]

    def _is_few(self, match: str, low: int, high: int) -> bool:
        """Whether a search matches so few traces that sorting them is quicker than walking."""
        row = self._connections.row(
            "SELECT count(*) FROM (SELECT 1 FROM trace_search WHERE trace_search MATCH ? AND rowid BETWEEN ? AND ? LIMIT ?)",
            (match, low, high, FEW + 1),
        )
        return row is None or row[0] <= FEW

    def _updated_sorted(
        self,
        status: str | None,
        match: str | None,
        low: int,
        high: int,
        limit: int,
        offset: int,
        start: sqlite3.Row | None,
    ) -> list[int]:
        # Only where days are asked for: a range of numbers would draw the planner away from the index by update.
        conditions = ["number BETWEEN :low AND :high"] if (low, high) != _ALL else []
        if status is not None:
            conditions.append("status = :status")
        if match is not None:
            conditions.append("number IN (SELECT rowid FROM trace_search WHERE trace_search MATCH :match)")
        values = {"status": status, "match": match, "low": low, "high": high, "limit": limit, "offset": offset}
        if start is not None:
            conditions.append("(updated_at, number) < (:updated_at, :number)")
            values |= {"updated_at": start["updated_at"], "number": start["number"]}
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        sql = f"SELECT number FROM traces {where}ORDER BY updated_at DESC, number DESC LIMIT :limit OFFSET :offset"
        return [row[0] for row in self._connections.rows(sql, values)]

    def _untouched(
        self, match: str, low: int, high: int, wanted: int, start: sqlite3.Row | None
    ) -> list[tuple[str, int]]:
        """(moment, number) of the first `wanted` that are as they were recorded, latest first."""
        if start is not None:
            # The latest that was recorded before `start` was changed.
            before = self._connections.row(
                "SELECT number FROM traces WHERE (created_at, number) < (?, ?) ORDER BY created_at DESC, number DESC LIMIT 1",
                (start["updated_at"], start["number"]),
            )
            high = min(high, before[0] if before else -1)
        numbers = self._in_order(f'{match} AND facets : "untouched"', low, high, False, wanted, 0)
        marks = ", ".join("?" * len(numbers))
        sql = f"SELECT updated_at, number FROM traces WHERE number IN ({marks})"
        return sorted(((row[0], row[1]) for row in self._connections.rows(sql, numbers)), reverse=True)

    def _touched(
        self, match: str, low: int, high: int, wanted: int, until: str, start: sqlite3.Row | None
    ) -> list[tuple[str, int]]:
        """(moment, number) of the first `wanted` that were changed after they were recorded, latest first; none of days
        that ended before the moment `until` is looked for."""
        found: list[tuple[str, int]] = []
        before = "9" if start is None else start["updated_at"] + "~"
        while len(found) < wanted:
            latest = self._connections.row(
                f"SELECT updated_at {_TOUCHED} ORDER BY updated_at DESC LIMIT 1", ("", before)
            )
            if latest is None or latest[0] < until:
                break
            # A day at a time, or an hour where so much was touched that a day would be too much to sort.
            day = self._connections.row(
                f"SELECT count(*) FROM (SELECT 1 {_TOUCHED} LIMIT {FEW + 1})", (latest[0][:10], before)
            )
            span = latest[0][:10] if day is not None and day[0] <= FEW else latest[0][:13]
            rows = self._connections.rows(
                "SELECT t.updated_at, t.number FROM trace_search s CROSS JOIN traces t ON t.number = s.rowid "
                "WHERE s.trace_search MATCH ? AND s.rowid BETWEEN ? AND ?",
                (f"{match} AND {touched_in(span)}", low, high),
            )
            among = sorted(((row[0], row[1]) for row in rows), reverse=True)
            # Of a day that was begun by hours, or in which the page before ended, only what comes after.
            found += [
                one
                for one in among
                if one[0] < before and (start is None or one < (start["updated_at"], start["number"]))
            ]
            before = span
        return found[:wanted]

    def _match(self, query: Query) -> str | None:
        typed = search_expression(query.search)
        parts = ([typed] if typed else []) + [f'facets : "{word}"' for word in query.words()]
        parts += [] if query.seer is None else [query.seer.expression]
        return " AND ".join(parts) or None

    def _range(self, query: Query) -> tuple[int, int]:
        """Numbers count traces in the order they were recorded, so days are ranges of numbers."""
        since, until = query.days()
        low, high = _ALL
        if since is not None:
            row = self._connections.row(
                "SELECT number FROM traces WHERE created_at >= ? ORDER BY created_at, number LIMIT 1", (since,)
            )
            low = row[0] if row else high
        if until is not None:
            row = self._connections.row(
                "SELECT number FROM traces WHERE created_at < ? ORDER BY created_at DESC, number DESC LIMIT 1", (until,)
            )
            high = row[0] if row else -1
        return low, high

    def _total(self, query: Query) -> tuple[int, bool]:
        if (query.since or query.until) is None and replace(query, status=None, order="newest") == Query():
            counted = {row[0]: row[1] for row in self._connections.rows("SELECT status, n FROM trace_counts")}
            return (sum(counted.values()) if query.status is None else counted.get(query.status, 0)), True
        low, high = self._range(query)
        match = self._match(query)
        table, name = ("traces", "number") if match is None else ("trace_search", "rowid")
        condition = "" if match is None else "trace_search MATCH :match AND "
        sql = f"SELECT {name} FROM {table} WHERE {condition}{name} BETWEEN :low AND :high ORDER BY {name} DESC LIMIT :limit"
        values = {"match": match, "low": low, "high": high, "limit": COUNT_LIMIT + 1}
        found, give_up_at = 0, time.perf_counter() + COUNT_S
        with closing(self._connections.stream(sql, values)) as rows:
            for _ in rows:
                found += 1
                if found > COUNT_LIMIT or time.perf_counter() > give_up_at:
                    return min(found, COUNT_LIMIT), False
        return found, True
