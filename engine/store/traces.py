"""Traces: their identity, and what is known beside their steps.

Invariant: numbers count traces in the order they were recorded.

Not covered: pages of them (`engine.store.queue`), the steps' versions (`engine.store.revisions`), verdicts
(`engine.store.reviews`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import InvalidInput, NotFound
from engine.store.absent import absent, deleted, is_in_bin
from engine.store.connection import Connections
from engine.store.identity import canonical_json, new_id, now, storable
from engine.store.media import MediaRecords
from engine.store.packing import next_number
from engine.store.query import Seer
from engine.store.revisions import Revisions, head_columns
from engine.store.search import STATUSES, Status
from engine.trace import Example, MediaKind, StopReason, Trace
from engine.trace_json import example_from_json, known_to_json

__all__ = [
    "COUNT_LIMIT",
    "QueueItem",
    "TraceRecord",
    "Traces",
]

COUNT_LIMIT = 1_000
"""Up to how many matches of a search or of several filters are counted."""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A trace as a row of the queue. `number` counts from 1 in the order of recording; `media_sha256` names the first
    media; `score` is None where unscored; `policy` is who acted, `author` who recorded; `confidence` is how sure the policy
    was of what it generated (`engine.store.facets`), None where it was not told; `group_id` is the same in a job's attempts
    at one example (`engine.store.attempts`), None where it stands alone; `is_private` says that only its author sees it
    (`engine.store.sight`)."""

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
    group_id: str | None
    created_at: str
    updated_at: str
    is_private: bool


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
        group_id: str | None = None,
        is_private: bool = False,
        id: str | None = None,
        written_at: str | None = None,
    ) -> TraceRecord:
        """Records a new trace with its first revision; media that the store did not know are recorded with it.

        `author` is who made it (a policy's or a person's name), `example` what it is an attempt at, where more is known of
        that than the question, `policy_settings` the pixel budgets and sampling it was made with (plain JSON), `score` in
        [0, 1] or None where unscored, `confidence` in [0, 1] how sure the policy was (`engine.store.facets`), None where it
        did not tell; traces with the same `group_id` (`engine.store.attempts`) stand together in the queue; `is_private` keeps
        it from all but its author until it is reviewed. `id` and `written_at`, the moment of its first revision, are those
        that it had in another store. Raises InvalidInput where the trace is no attempt at `example`, NotFound where a media was
        deleted while the trace was made, IntegrityError where one contradicts what is recorded of it.
        """
        example = example or trace.example
        if (example.question, example.media) != (trace.question, trace.media):
            raise InvalidInput(f"the trace of {trace.question!r} is no attempt at the example {example.question!r}")
        if score is not None and not 0 <= score <= 1:
            raise ValueError(f"a score is from 0 to 1 or None, not {score!r}")
        if confidence is not None and not 0 <= confidence <= 1:
            raise ValueError(f"a confidence is from 0 to 1 or None, not {confidence!r}")
        trace_id, moment = id or new_id(), now()
        with self._connections.write() as db:
            if id is not None and (gone := deleted(self._connections, "traces", id)) is not None:
                raise gone  # an export made before must not bring it in again
            for medium in trace.media:
                if is_in_bin(self._connections, "media", medium.sha256):
                    raise absent(self._connections, "media", medium.sha256)
                self._media.record(medium)
            head = self._revisions.insert(trace_id, trace, author, None, None, written_at)
            known = _example_columns(example)
            columns = (
                head_columns(trace, known["evidence"], known["options"])
                | known
                | {
                    "id": trace_id,
                    "head_id": head.id,
                    "score": score,
                    "author": storable(author),
                    "policy_settings": canonical_json(dict(policy_settings or {})),
                    "confidence": confidence,
                    "group_id": group_id,
                    "is_private": is_private,
                    "created_at": moment,
                    "updated_at": moment,
                }
            )
            names, marks = ", ".join(columns), ", ".join(":" + name for name in columns)
            db.conn.execute(f"INSERT INTO traces (number, {names}) VALUES ({next_number('traces')}, {marks})", columns)
            db.conn.executemany(
                "INSERT OR IGNORE INTO trace_media VALUES (?, ?)", [(trace_id, m.sha256) for m in trace.media]
            )
            return self.get(trace_id)

    def get(self, trace_id: str) -> TraceRecord:
        """Raises NotFound."""
        sql = "SELECT traces.*, trace_json FROM traces JOIN revisions ON revisions.id = head_id WHERE traces.id = ?"
        row = self._connections.row(sql, (trace_id,))
        if row is None:
            raise absent(self._connections, "traces", trace_id)
        return TraceRecord(item_of(row), json.loads(row["policy_settings"]), _example_of(row))

    def id_of(self, number: int) -> str:
        """The id of the trace that was recorded as this number, from 1. Raises NotFound."""
        row = self._connections.row("SELECT id FROM traces WHERE number = ?", (number,))
        if row is None:
            raise NotFound(f"there is no trace number {number} in the store")
        return str(row["id"])

    def is_first_of_example(self, trace_id: str, status: Status | None = None) -> bool:
        """Whether no earlier trace (of that status, where one is named) is an attempt at the same example."""
        sql = (
            "SELECT 1 FROM traces t JOIN traces o ON o.example_key = t.example_key AND o.number < t.number AND NOT o.is_private "
            "WHERE t.id = ? AND (? IS NULL OR o.status = ?) LIMIT 1"
        )
        return self._connections.row(sql, (trace_id, status, status)) is None

    def ids(self, status: Status | None = None, *, after: str | None = None, limit: int = 500) -> list[str]:
        """The ids of the traces of `status` (None: all) in the order of recording, behind the trace `after`; each of them, also
        where attempts stand together in the queue, but for those that are private to whoever asked them. Raises NotFound for
        an `after` that is not there."""
        number = 0 if after is None else self.get(after).item.number
        sql = "SELECT id FROM traces WHERE (? IS NULL OR status = ?) AND number > ? AND NOT is_private ORDER BY number LIMIT ?"
        return [row[0] for row in self._connections.rows(sql, (status, status, number, limit))]

    def asked_by(self, author: str, limit: int) -> list[QueueItem]:
        """The traces that `author` asked for on the Ask screen, the newest first."""
        sql = "SELECT * FROM traces WHERE author = ? AND source = 'ask' ORDER BY number DESC LIMIT ?"
        return [item_of(row) for row in self._connections.rows(sql, (author, limit))]

    def counts(self, seer: Seer | None = None) -> dict[Status, int]:
        """How many traces have each status, of those that `seer` sees (None: of all); every status is there."""
        found = {row["status"]: row["n"] for row in self._connections.rows("SELECT status, n FROM trace_counts")}
        if seer is not None:
            unseen = "is_private AND author <> :name" if seer.is_reader else "author <> :name"
            sql = f"SELECT status, count(*) AS n FROM traces WHERE {unseen} GROUP BY status"
            for row in self._connections.rows(sql, {"name": storable(seer.name)}):
                found[row["status"]] -= row["n"]
        return {status: found.get(status, 0) for status in STATUSES}

    def policies(self) -> list[str]:
        """The names of all policies that have traces, for a filter to offer, sorted."""
        return self._distinct("policy")

    def sources(self) -> list[str]:
        """The sources (the part before the first "/") that have traces, sorted; those without a source are left out."""
        return [name for name in self._distinct("source") if name]

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
        group_id=row["group_id"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        is_private=bool(row["is_private"]),
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
