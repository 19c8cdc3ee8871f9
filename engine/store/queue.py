"""The workbench's queue: which traces, in which order, fifty at a time.

The idea: a query is a plain value that fits into a URL. Its filters are words of the full-text index (see
`engine.store.curation`), its dates a range of trace numbers, so every page is one intersection of sorted lists that
stops when the page is full, however many traces there are. The suggested order walks the levels of what teaches most.

Invariants: `Query.from_params(query.to_params()) == query`; what a person types can find nothing, but never raise; pages
that follow one another by `after` neither repeat nor skip a trace that does not change in between.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from engine.errors import InvalidInput, NotFound
from engine.faithfulness import TRAJECTORIES, Trajectory
from engine.store.connection import Connections
from engine.store.identity import storable
from engine.store.search import STATUSES, Outcome, Status, search_expression
from engine.store.traces import COUNT_LIMIT, QueueItem, item_of
from engine.trace import STOP_REASONS, MediaKind, StopReason

__all__ = ["COUNT_S", "Listed", "Query", "Queue", "QueuePage", "QueueOrder"]

QueueOrder = Literal["newest", "oldest", "updated", "suggested"]
RaprLevel = Literal["never", "seldom", "often", "mostly", "always"]
EvidenceState = Literal["held", "missed", "unknown"]
RoundState = Literal["open", "agreed", "disputed", "adjudicated"]
Blanking = Literal["changes", "keeps"]

COUNT_S = 0.003
"""For how long matches are counted; a page is not kept waiting for its total."""

_ALL = (0, 2**62)

_CHOICES: dict[str, tuple[str, ...]] = {
    "status": STATUSES,
    "kind": get_args(MediaKind),
    "stop_reason": STOP_REASONS,
    "trajectory": TRAJECTORIES,
    "outcome": get_args(Outcome),
    "rapr": get_args(RaprLevel),
    "evidence": get_args(EvidenceState),
    "round": get_args(RoundState),
    "blanking": get_args(Blanking),
    "order": get_args(QueueOrder),
}
_FLAGS = {
    "has_operation": "operation",
    "has_errors": "error",
    "is_pretending": "pretended",
    "ignores_error": "ignored",
    "is_edited": "edited",
}
_HEXED = {
    "status": "status",
    "policy": "policy",
    "source": "source",
    "stop_reason": "stop",
    "trajectory": "trajectory",
    "reviewer": "reviewer",
    "tag": "tag",
    "assigned_to": "assigned",
}
_PLAIN = ("kind", "outcome", "rapr", "evidence", "round", "blanking")


@dataclass(frozen=True, slots=True)
class Query:
    """What the queue shows; None filters nothing.

    `source` is the part of an example's source before its first "/"; `rapr` how often the rollouts of the trace's group
    operate (`engine.store.curation.RAPR_LEVELS`; single traces have none); `outcome` the score against gold; `reviewer`
    who has reviewed it; `round` the state of a round of several reviews ("disputed" is the adjudication list);
    `blanking` whether blanking a crop changed the answer; `since` and `until` are days in UTC, both included, such as
    "2026-11-23".
    """

    search: str = ""
    status: Status | None = None
    policy: str | None = None
    source: str | None = None
    kind: MediaKind | None = None
    stop_reason: StopReason | None = None
    has_operation: bool | None = None
    trajectory: Trajectory | None = None
    has_errors: bool | None = None
    is_pretending: bool | None = None
    ignores_error: bool | None = None
    evidence: EvidenceState | None = None
    blanking: Blanking | None = None
    outcome: Outcome | None = None
    rapr: RaprLevel | None = None
    is_edited: bool | None = None
    reviewer: str | None = None
    round: RoundState | None = None
    tag: str | None = None
    assigned_to: str | None = None
    since: str | None = None
    until: str | None = None
    order: QueueOrder = "newest"

    def to_params(self) -> dict[str, str]:
        """For a URL: only what differs from the default; flags are "1" and "0"."""
        found: dict[str, str] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if value != f.default:
                found[f.name] = str(int(value)) if isinstance(value, bool) else value
        return found

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Query:
        """Reads what `to_params` wrote; names that are no filter are left alone (a URL holds other things too). Raises
        InvalidInput for a value that its filter cannot have."""
        known = {f.name for f in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in params.items():
            if name not in known or (value == "" and name != "source"):
                continue
            if name in _FLAGS:
                if value not in ("0", "1"):
                    raise InvalidInput(f"the filter {name} is 1 or 0, not {value!r}")
                values[name] = value == "1"
            else:
                values[name] = value
        query = cls(**values)
        query.words()
        query.days()
        return query

    def words(self) -> list[str]:
        """The facet words that a trace must have. Raises InvalidInput."""
        for name, allowed in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise InvalidInput(f"the filter {name} is one of {', '.join(allowed)}, not {value!r}")
        found = []
        for f in fields(self):
            value = getattr(self, f.name)
            if value is None or value == f.default:
                continue
            if f.name in _HEXED:
                found.append(_HEXED[f.name] + storable(value).encode().hex())
            elif f.name in _PLAIN:
                found.append(f.name + value)
            elif f.name in _FLAGS:
                found.append(f"{_FLAGS[f.name]}{int(value)}")
        return found

    def days(self) -> tuple[str | None, str | None]:
        """First moment, and first moment after the last, as stored times. Raises InvalidInput."""
        for day in (self.since, self.until):
            if day is not None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", day):
                raise InvalidInput(f"a date is written as 2026-11-23, not {day!r}")
        return self.since, None if self.until is None else self.until + "T99"


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the queue; `holder` is who is working on it right now, `round` the state of its round of reviews, if any."""

    item: QueueItem
    trajectory: Trajectory
    is_pretending: bool
    ignores_error: bool
    evidence_share: float | None
    tags: tuple[str, ...]
    holder: str | None
    round: RoundState | None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """`total` counts all matches, up to COUNT_LIMIT and for COUNT_S; where `is_total_exact` is False there are at least
    that many."""

    items: tuple[Listed, ...]
    total: int
    is_total_exact: bool


class Queue:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def page(self, query: Query | None = None, limit: int = 50, offset: int = 0, after: str | None = None) -> QueuePage:
        """One page; `after` is the id of the last trace of the page before (cheaper than a deep `offset`). Raises
        InvalidInput, and NotFound for `after`."""
        if not 1 <= limit <= 1000 or offset < 0:
            raise InvalidInput(f"a page has 1 to 1000 traces from an offset of 0 or more, not {limit} from {offset}")
        query = query or Query()
        numbers = self._numbers(query, limit, offset, after)
        if after is None and offset == 0 and len(numbers) < limit:
            # All there is: to count it would look for it a second time, which takes longest where there is little.
            return QueuePage(self._listed(numbers), len(numbers), True)
        total, is_exact = self._total(query)
        return QueuePage(self._listed(numbers), total if is_exact else max(total, offset + len(numbers)), is_exact)

    def ids(self, query: Query, limit: int) -> list[str]:
        """The ids of the first `limit` traces, for work on all of them."""
        numbers = self._numbers(query, limit, 0, None)
        marks = ", ".join("?" * len(numbers))
        found = self._connections.rows(f"SELECT number, id FROM traces WHERE number IN ({marks})", numbers)
        by_number = {row["number"]: row["id"] for row in found}
        return [by_number[number] for number in numbers]

    def next_free(self, query: Query, person: str, *, skip: Sequence[str] = (), at: float | None = None) -> str | None:
        """The first trace of the query that nobody else holds and that `person` has not reviewed (skips count as
        reviewed), other than `skip`. Looks at the first 500 only."""
        moment = time.time() if at is None else at
        for trace_id in self.ids(query, 500):
            row = self._connections.row(
                "SELECT 1 FROM reservations WHERE trace_id = :id AND expires_at > :at AND holder <> :person UNION ALL "
                "SELECT 1 FROM reviews v JOIN traces t ON t.head_id = v.revision_id "
                "WHERE t.id = :id AND v.reviewer = :person AND v.undone_at IS NULL",
                {"id": trace_id, "at": moment, "person": storable(person)},
            )
            if row is None and trace_id not in skip:
                return trace_id
        return None

    def _numbers(self, query: Query, limit: int, offset: int, after: str | None) -> list[int]:
        match = self._match(query)
        low, high = self._range(query)
        start = None
        if after is not None:
            start = self._connections.row("SELECT number, updated_at FROM traces WHERE id = ?", (after,))
            if start is None:
                raise NotFound(f"there is no trace {after!r} in the store")
        if query.order == "suggested":
            return self._suggested(match, low, high, limit, offset, start)
        if query.order == "updated":
            return self._updated(match, low, high, limit, offset, start)
        if start is not None:
            low, high = (low, start["number"] - 1) if query.order == "newest" else (start["number"] + 1, high)
        return self._in_order(match, low, high, query.order == "oldest", limit, offset)

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
        level = 9 if start is None else self._level(start["number"])
        found: list[int] = []
        for at in range(level, -1, -1):
            until = start["number"] - 1 if start is not None and at == level else high
            narrowed = " AND ".join(([match] if match else []) + [f'facets : "teach{at}"'])
            found += self._in_order(narrowed, low, until, False, limit + offset - len(found), 0)
            if len(found) >= limit + offset:
                break
        return found[offset:]

    def _level(self, number: int) -> int:
        row = self._connections.row("SELECT facets FROM trace_search WHERE rowid = ?", (number,))
        found = re.search(r"\bteach(\d)\b", row["facets"] if row else "")
        return int(found.group(1)) if found else 9

    def _updated(
        self, match: str | None, low: int, high: int, limit: int, offset: int, start: sqlite3.Row | None
    ) -> list[int]:
        # Only where days are asked for: a range of numbers would draw the planner away from the index by update.
        conditions = ["number BETWEEN :low AND :high"] if (low, high) != _ALL else []
        if match is not None:
            conditions.append("number IN (SELECT rowid FROM trace_search WHERE trace_search MATCH :match)")
        values = {"match": match, "low": low, "high": high, "limit": limit, "offset": offset}
        if start is not None:
            conditions.append("(updated_at, number) < (:updated_at, :number)")
            values |= {"updated_at": start["updated_at"], "number": start["number"]}
        where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
        sql = f"SELECT number FROM traces {where}ORDER BY updated_at DESC, number DESC LIMIT :limit OFFSET :offset"
        return [row[0] for row in self._connections.rows(sql, values)]

    def _match(self, query: Query) -> str | None:
        typed = search_expression(query.search)
        parts = ([typed] if typed else []) + [f'facets : "{word}"' for word in query.words()]
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

    def _listed(self, numbers: Sequence[int]) -> tuple[Listed, ...]:
        marks = ", ".join("?" * len(numbers))
        sql = f"""SELECT t.*, v.holder, w.state AS round_state,
                (SELECT group_concat(x.tag, char(31)) FROM trace_tags x WHERE x.trace_id = t.id) AS tags
            FROM traces t LEFT JOIN reservations v ON v.trace_id = t.id AND v.expires_at > ?
            LEFT JOIN review_rounds w ON w.trace_id = t.id WHERE t.number IN ({marks})"""
        rows = {row["number"]: row for row in self._connections.rows(sql, (time.time(), *numbers))}
        return tuple(_listed(rows[number]) for number in numbers if number in rows)


def _listed(row: sqlite3.Row) -> Listed:
    return Listed(
        item=item_of(row),
        trajectory=row["trajectory"],
        is_pretending=bool(row["is_pretending"]),
        ignores_error=bool(row["ignores_error"]),
        evidence_share=row["evidence_share"],
        tags=tuple(sorted(row["tags"].split("\x1f"))) if row["tags"] else (),
        holder=row["holder"],
        round=row["round_state"],
    )
