"""Traces: their identity, what is known beside their steps, and the queue in pages.

The idea of a page: every filter and every searched word is a word in one full-text index whose lists are in the order
of the traces' numbers. A page "newest first" reads those lists from the end and stops after the page, however many
traces match. Totals are exact up to `COUNT_LIMIT`, without filters always (triggers keep counts by status).

Invariants:
- text that a person types into search is only ever quoted words: it can find nothing, but never raise;
- numbers count traces in the order they were recorded.

Not covered: the steps' versions (`engine.store.revisions`), verdicts (`engine.store.reviews`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from engine.errors import InvalidInput, NotFound
from engine.store.connection import Connections
from engine.store.identity import canonical_json, new_id, now, storable
from engine.store.media import MediaRecords
from engine.store.revisions import Revisions, head_columns
from engine.store.search import STATUSES, Filters, Status, search_expression
from engine.trace import Example, MediaKind, StopReason, Trace
from engine.trace_json import example_from_json, known_to_json

__all__ = [
    "COUNT_LIMIT",
    "Order",
    "Page",
    "QueueItem",
    "TraceRecord",
    "Traces",
]

Order = Literal["newest", "oldest", "updated"]

COUNT_LIMIT = 1_000
"""Up to how many matches of a search or of several filters are counted."""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A trace as a row of the queue. `number` counts from 1 in the order of recording; `media_sha256` names the first
    media; `score` is None where unscored; `policy` is who acted, `author` who recorded; `confidence` is how sure the policy
    was of what it generated (`engine.store.facets`), None where it was not told."""

    id: str
    number: int
    status: Status
    head_id: str
    question: str
    answer: str | None
    gold: str | None
    score: float | None
    policy: str
    protocol: str
    source: str
    author: str
    media_sha256: str | None
    media_kind: MediaKind | Literal[""]
    stop_reason: StopReason
    step_count: int
    has_operation: bool
    operation_errors: int
    confidence: float | None
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True)
class TraceRecord:
    """Everything that is known of a trace beside its steps, which are in the revision `item.head_id`; `example` is what it
    is an attempt at."""

    item: QueueItem
    policy_settings: dict[str, Any]
    example: Example

    @property
    def id(self) -> str:
        return self.item.id

    @property
    def head_id(self) -> str:
        return self.item.head_id

    @property
    def status(self) -> Status:
        return self.item.status

    @property
    def gold(self) -> str | None:
        return self.item.gold

    @property
    def score(self) -> float | None:
        return self.item.score


@dataclass(frozen=True, slots=True)
class Page:
    """`total` counts all matches; where `is_total_exact` is False there are at least that many."""

    items: tuple[QueueItem, ...]
    total: int
    is_total_exact: bool


class Traces:
    def __init__(self, connections: Connections, media: MediaRecords, revisions: Revisions) -> None:
        self._connections = connections
        self._media = media
        self._revisions = revisions

    def record(
        self,
        trace: Trace,
        *,
        author: str,
        example: Example | None = None,
        policy_settings: Mapping[str, Any] | None = None,
        score: float | None = None,
        confidence: float | None = None,
    ) -> TraceRecord:
        """Records a new trace with its first revision; media that the store did not know are recorded with it.

        `author` is who made it (a policy's or a person's name), `example` what it is an attempt at, where more is known of
        that than the question, `policy_settings` the pixel budgets and sampling it was made with (plain JSON), `score` in
        [0, 1] or None where unscored, `confidence` in [0, 1] how sure the policy was (`engine.store.facets`), None where it
        did not tell. Raises InvalidInput where the trace is no attempt at `example`, IntegrityError where a media
        contradicts what is recorded of it.
        """
        example = example or trace.example
        if (example.question, example.media) != (trace.question, trace.media):
            raise InvalidInput(f"the trace of {trace.question!r} is no attempt at the example {example.question!r}")
        if score is not None and not 0 <= score <= 1:
            raise ValueError(f"a score is from 0 to 1 or None, not {score!r}")
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError(f"a confidence is from 0 to 1 or None, not {confidence!r}")
        trace_id, moment = new_id(), now()
        with self._connections.write() as db:
            for medium in trace.media:
                self._media.record(medium)
            head = self._revisions.insert(trace_id, trace, author, None, None)
            known = _example_columns(example)
            columns = (
                head_columns(trace, known["evidence"])
                | known
                | {
                    "id": trace_id,
                    "head_id": head.id,
                    "score": score,
                    "author": storable(author),
                    "policy_settings": canonical_json(dict(policy_settings or {})),
                    "confidence": confidence,
                    "created_at": moment,
                    "updated_at": moment,
                }
            )
            names = ", ".join(columns)
            db.conn.execute(
                f"INSERT INTO traces ({names}) VALUES ({', '.join(':' + name for name in columns)})", columns
            )
            db.conn.executemany(
                "INSERT OR IGNORE INTO trace_media VALUES (?, ?)", [(trace_id, m.sha256) for m in trace.media]
            )
            return self.get(trace_id)

    def get(self, trace_id: str) -> TraceRecord:
        """Raises NotFound."""
        sql = "SELECT traces.*, trace_json FROM traces JOIN revisions ON revisions.id = head_id WHERE traces.id = ?"
        row = self._connections.row(sql, (trace_id,))
        if row is None:
            raise NotFound(f"there is no trace {trace_id!r} in the store")
        return TraceRecord(item_of(row), json.loads(row["policy_settings"]), _example_of(row))

    def set_score(self, trace_id: str, score: float | None, gold: str | None = None) -> TraceRecord:
        """Sets the score of the head in [0, 1], or None for unscored, and the gold answer where one is given."""
        if score is not None and not 0 <= score <= 1:
            raise ValueError(f"a score is from 0 to 1 or None, not {score!r}")
        with self._connections.write() as db:
            db.conn.execute(
                "UPDATE traces SET score = ?, gold = coalesce(?, gold) WHERE id = ?", (score, gold, trace_id)
            )
            return self.get(trace_id)

    def counts(self) -> dict[Status, int]:
        """How many traces have each status; every status is there."""
        found = {row["status"]: row["n"] for row in self._connections.rows("SELECT status, n FROM trace_counts")}
        return {status: found.get(status, 0) for status in STATUSES}

    def policies(self) -> list[str]:
        """The names of all policies that have traces, for a filter to offer, sorted."""
        return self._distinct("policy")

    def sources(self) -> list[str]:
        """The sources (the part before the first "/") that have traces, sorted; those without a source are left out."""
        return [name for name in self._distinct("source") if name]

    def page(
        self,
        status: Status | None = None,
        search: str | None = None,
        order: Order = "newest",
        limit: int = 50,
        offset: int = 0,
        after: str | None = None,
        filters: Filters | None = None,
    ) -> Page:
        """One page of the queue. `status` is short for that filter; `search` is what a person typed, over questions,
        thoughts and answers; `after` is the id of the last trace of the page before (cheaper than a deep `offset`).

        Raises InvalidInput for an unknown status or order, or a `limit` outside 1 to 1,000, and NotFound for `after`.
        """
        if order not in get_args(Order):
            raise InvalidInput(f"the order {order!r} is none of {', '.join(get_args(Order))}")
        if not 1 <= limit <= 1000 or offset < 0:
            raise InvalidInput(f"a page has 1 to 1000 traces from an offset of 0 or more, not {limit} from {offset}")
        chosen = filters or Filters()
        for wanted in (status, chosen.status):
            if wanted is not None and wanted not in STATUSES:
                raise InvalidInput(f"the status {wanted!r} is none of {', '.join(STATUSES)}")
        words = list(dict.fromkeys(chosen.words() + Filters(status=status).words()))
        typed = search_expression(search or "")
        match = " AND ".join(([typed] if typed else []) + [f'facets : "{word}"' for word in words]) or None
        # A status alone has indexes of its own, in every order, and a count that is kept.
        only = status or chosen.status
        if only is not None and words == Filters(status=only).words() and typed is None:
            match = None
        else:
            only = None
        sql, parameters = self._page_query(match, only, order, after)
        parameters |= {"limit": limit, "offset": offset}
        items = tuple(item_of(row) for row in self._connections.rows(sql, parameters))
        return Page(items, *self._total(match, only))

    def _page_query(
        self, match: str | None, status: Status | None, order: Order, after: str | None
    ) -> tuple[str, dict[str, Any]]:
        parameters: dict[str, Any] = {"status": status, "match": match}
        conditions: list[str] = [] if status is None else ["status = :status"]
        key = {"newest": "number", "oldest": "number", "updated": "updated_at, number"}[order]
        if after is not None:
            row = self._connections.row("SELECT number, updated_at FROM traces WHERE id = ?", (after,))
            if row is None:
                raise NotFound(f"there is no trace {after!r} in the store")
            parameters |= {"number": row["number"], "updated_at": row["updated_at"]}
            conditions.append(
                {"newest": "{n} < :number", "oldest": "{n} > :number"}.get(
                    order, "(updated_at, number) < (:updated_at, :number)"
                )
            )
        direction = "ASC" if order == "oldest" else "DESC"
        ordering = ", ".join(f"{name} {direction}" for name in key.split(", "))
        if match is None or order == "updated":
            if match is not None:
                conditions.append("number IN (SELECT rowid FROM trace_search WHERE trace_search MATCH :match)")
            where = f"WHERE {' AND '.join(conditions)} " if conditions else ""
            sql = f"SELECT * FROM traces {where}ORDER BY {ordering} LIMIT :limit OFFSET :offset"
            return sql.replace("{n}", "number"), parameters
        narrowed = " AND ".join(["trace_search MATCH :match", *conditions]).replace("{n}", "rowid")
        return (
            f"WITH hits AS MATERIALIZED (SELECT rowid AS hit FROM trace_search WHERE {narrowed} "
            f"ORDER BY rowid {direction} LIMIT :limit OFFSET :offset) "
            f"SELECT traces.* FROM hits CROSS JOIN traces ON traces.number = hits.hit ORDER BY hits.hit {direction}"
        ), parameters

    def _total(self, match: str | None, status: Status | None) -> tuple[int, bool]:
        if match is None:
            counts = self.counts()
            return (sum(counts.values()) if status is None else counts[status]), True
        row = self._connections.row(
            "SELECT count(*) FROM (SELECT 1 FROM trace_search WHERE trace_search MATCH ? LIMIT ?)",
            (match, COUNT_LIMIT + 1),
        )
        found = row[0] if row else 0
        return min(found, COUNT_LIMIT), found <= COUNT_LIMIT

    def _distinct(self, column: Literal["policy", "source"]) -> list[str]:
        part = "substr(source, 1, instr(source || '/', '/') - 1)" if column == "source" else "policy"
        # From each value to the next by the index: a step a value, where DISTINCT would take one a trace.
        sql = f"""WITH RECURSIVE found (value) AS (
            SELECT min({part}) FROM traces
            UNION ALL SELECT (SELECT min({part}) FROM traces WHERE {part} > value) FROM found WHERE value IS NOT NULL
        ) SELECT value FROM found WHERE value IS NOT NULL"""
        return [row[0] for row in self._connections.rows(sql)]


def item_of(row: sqlite3.Row) -> QueueItem:
    return QueueItem(
        id=row["id"],
        number=row["number"],
        status=row["status"],
        head_id=row["head_id"],
        question=row["question"],
        answer=row["answer"],
        gold=row["gold"],
        score=row["score"],
        policy=row["policy"],
        protocol=row["protocol"],
        source=row["source"],
        author=row["author"],
        media_sha256=row["media_sha256"],
        media_kind=row["media_kind"],
        stop_reason=row["stop_reason"],
        step_count=row["step_count"],
        has_operation=bool(row["has_operation"]),
        operation_errors=row["operation_errors"],
        confidence=row["confidence"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _example_columns(example: Example) -> dict[str, Any]:
    """What a traces row says of its example beside what its head says."""
    known = known_to_json(example)
    lists = {name: canonical_json(known[name]) for name in ("options", "other_answers")}
    evidence = None if example.evidence is None else canonical_json(known["evidence"])
    texts = {name: known[name] and storable(known[name]) for name in ("gold", "source", "category", "difficulty")}
    return texts | lists | {"evidence": evidence, "rule": example.rule}


def _example_of(row: sqlite3.Row) -> Example:
    """The inverse; `row` has its head's trace_json."""
    texts = {name: row[name] for name in ("source", "category", "difficulty", "rule")}
    parts = {name: row[name] and json.loads(row[name]) for name in ("options", "other_answers", "evidence")}
    head = json.loads(row["trace_json"])
    asked = {"question": head["question"], "media": head["media"], "answer": row["gold"]}
    return example_from_json(asked | texts | parts)
