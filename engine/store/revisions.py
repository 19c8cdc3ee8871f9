"""Revisions: the immutable versions of a trace, chained by hash, with a head that moves by compare-and-set.

Invariants:
- a revision never changes (a trigger refuses it) and its hash covers its parent's (`engine.store.identity`), so a change
  anywhere shows in every later hash of the chain;
- the head moves only from the revision that its mover had seen; a save that comes too late is kept as a branch and
  raises StaleRevision: nothing is overwritten and nothing is lost;
- a save that is sent twice is one save: the same content on the same parent is the same revision.

Not covered: verdicts and the status that follows from them (`engine.store.reviews`).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import Conflict, InvalidInput, NotFound
from engine.faithfulness import final_evidence_share, ignored_errors, pretended_steps, trajectory
from engine.lessons import is_plain_lesson, lesson_key
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.identity import canonical_json, new_id, now, revision_hash, storable
from engine.trace import Example, Trace
from engine.trace_json import evidence_from_json, trace_from_json, trace_to_json

__all__ = [
    "Revision",
    "Revisions",
    "StaleRevision",
    "example_key",
    "faithfulness_columns",
    "head_columns",
    "refresh_status",
]


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a trace. `number` counts the trace's revisions from 1, branches included; `parent_id` is None for
    the first; `hash` is 64 hexadecimal digits."""

    id: str
    trace_id: str
    parent_id: str | None
    number: int
    author: str
    created_at: str
    hash: str
    trace: Trace


class StaleRevision(Conflict):
    """The head had moved on. `kept` is the losing version, stored as a branch; `head` is what stands now."""

    def __init__(self, kept: Revision, head: Revision) -> None:
        super().__init__(
            f"{head.author or 'somebody'} saved version {head.number} of this trace first; "
            f"yours is kept beside it as version {kept.number}, so compare the two and save again"
        )
        self.kept = kept
        self.head = head


def head_columns(trace: Trace, evidence: str | None = None, options: str = "[]") -> dict[str, Any]:
    """The columns of a traces row that repeat what its head says, for the queue page. `evidence` and `options` are the JSON
    in the row's own columns."""
    return {
        "question": storable(trace.question),
        "answer": None if trace.answer is None else storable(trace.answer),
        "stop_reason": trace.stop_reason,
        "policy": storable(trace.policy),
        "protocol": storable(trace.protocol),
        "media_sha256": trace.media[0].sha256 if trace.media else None,
        "media_kind": trace.media[0].kind if trace.media else "",
        "step_count": len(trace.steps),
        "has_operation": int(trace.has_operation),
        "operation_errors": trace.operation_errors,
        "example_key": example_key(trace),
        "is_plain_lesson": int(is_plain_lesson(trace)),
        "lesson_key": lesson_key(trace, json.loads(options)),
    } | faithfulness_columns(trace, evidence)


def example_key(asked: Trace | Example) -> str:
    """Names the question about these media: traces with the same key are attempts at the same example."""
    text = canonical_json([asked.question, [medium.sha256 for medium in asked.media]])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def faithfulness_columns(trace: Trace, evidence: str | None) -> dict[str, Any]:
    """The labels of `engine.faithfulness`, as columns."""
    known = None if evidence is None else evidence_from_json(json.loads(evidence))
    return {
        "trajectory": trajectory(trace),
        "is_pretending": int(bool(pretended_steps(trace))),
        "ignores_error": int(bool(ignored_errors(trace))),
        "evidence_share": final_evidence_share(trace, known),
    }


def refresh_status(connections: Connections, trace_id: str) -> None:
    """Sets a trace's status from its head. Call it inside `write()`.

    Without a round of several reviews: the latest standing verdict that decides (a skip does not). In a round: nothing
    until all are given, then what all say, "flagged" where they differ, until somebody adjudicates. Undecided is
    "edited" where a person or policy has changed the trace since it was recorded, else "new".
    """
    row = connections.row(
        """SELECT coalesce((SELECT wanted FROM review_rounds WHERE trace_id = t.id), 1) AS wanted,
            (SELECT verdict FROM adjudications WHERE revision_id = t.head_id ORDER BY number DESC LIMIT 1) AS adjudicated,
            (SELECT iif(parent_id IS NULL, 'new', 'edited') FROM revisions WHERE id = t.head_id) AS undecided, t.head_id
        FROM traces t WHERE t.id = ?""",
        (trace_id,),
    )
    if row is None:
        return
    # With max() SQLite takes the other columns from the row that has it: each reviewer's latest.
    given = connections.rows(
        """SELECT verdict, max(number) AS number FROM reviews
        WHERE revision_id = ? AND undone_at IS NULL AND verdict <> 'skipped' GROUP BY reviewer ORDER BY 2""",
        (row["head_id"],),
    )
    verdicts = [one["verdict"] for one in given]
    state, status = "open", row["undecided"]
    if row["wanted"] <= 1:
        status = verdicts[-1] if verdicts else status
    elif len(verdicts) >= row["wanted"]:
        state = "agreed" if len(set(verdicts)) == 1 else "disputed"
        status = verdicts[0] if state == "agreed" else "flagged"
    if row["adjudicated"] is not None:
        state, status = "adjudicated", row["adjudicated"]
    conn = connections.database().conn
    conn.execute("UPDATE traces SET updated_at = ?, status = ? WHERE id = ?", (now(), status, trace_id))
    conn.execute("UPDATE review_rounds SET state = ? WHERE trace_id = ? AND state <> ?", (state, trace_id, state))


class Revisions:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def get(self, revision_id: str) -> Revision:
        """Raises NotFound."""
        row = self._connections.row("SELECT * FROM revisions WHERE id = ?", (revision_id,))
        if row is None:
            raise absent(self._connections, "revisions", revision_id)
        return _revision(row)

    def head(self, trace_id: str) -> Revision:
        """What stands now. Raises NotFound."""
        sql = "SELECT r.* FROM traces t JOIN revisions r ON r.id = t.head_id WHERE t.id = ?"
        row = self._connections.row(sql, (trace_id,))
        if row is None:
            raise absent(self._connections, "traces", trace_id)
        return _revision(row)

    def first(self, trace_id: str) -> Revision:
        """What was recorded at first: the model's own version. Raises NotFound."""
        row = self._connections.row("SELECT * FROM revisions WHERE trace_id = ? AND parent_id IS NULL", (trace_id,))
        if row is None:
            raise absent(self._connections, "traces", trace_id)
        return _revision(row)

    def chain(self, trace_id: str) -> list[Revision]:
        """The versions that led to the head, first to head."""
        by_id = {r.id: r for r in self.list(trace_id)}
        chain: list[Revision] = []
        at: str | None = self.head(trace_id).id
        while at is not None:
            chain.append(by_id.pop(at))
            at = chain[-1].parent_id
        return chain[::-1]

    def branches(self, trace_id: str) -> list[Revision]:
        """The versions that lost a race and are not in the head's chain, in the order they were saved."""
        led = {r.id for r in self.chain(trace_id)}
        return [r for r in self.list(trace_id) if r.id not in led]

    def append(self, trace_id: str, trace: Trace, author: str, parent: str, *, score: float | None = None) -> Revision:
        """Saves `trace` as the successor of revision `parent` and moves the head to it, if the head still is `parent`.
        `score` is the new version's; without one the old score stays only where the answer did.

        Raises StaleRevision (a Conflict) where it no longer is, after keeping `trace` as a branch; NotFound where the
        trace has no revision `parent`; InvalidInput where the question's media are not the trace's.
        """
        with self._connections.write():
            head = self.head(trace_id)
            before = self._connections.row("SELECT * FROM revisions WHERE id = ?", (parent,))
            if before is None or before["trace_id"] != trace_id:
                raise NotFound(f"the trace {trace_id!r} has no revision {parent!r}")
            if trace.media != head.trace.media:
                raise InvalidInput("a revision of a trace keeps the trace's media; record a new trace for other media")
            saved = self.insert(trace_id, trace, author, parent, before["hash"])
            if saved.id == head.id:
                return head
            if parent == head.id:
                has_new_score = score is not None or trace.answer != head.trace.answer
                self.set_head(saved, {"score": score} if has_new_score else {})
                refresh_status(self._connections, trace_id)
                return saved
        # Outside the transaction: the losing version is committed before its author hears of it.
        raise StaleRevision(saved, head)

    def set_head(self, head: Revision, columns: Mapping[str, Any]) -> None:
        """Makes a changed version the head, and sets other `columns` of its trace. For this package: call it inside
        `write()`."""
        known = self._connections.row("SELECT evidence, options FROM traces WHERE id = ?", (head.trace_id,))
        assert known is not None  # a revision's trace is there
        said = head_columns(head.trace, known["evidence"], known["options"])
        values = said | {"head_id": head.id, "is_corrected": 1} | dict(columns)
        self._connections.database().conn.execute(
            f"UPDATE traces SET {', '.join(f'{name} = :{name}' for name in values)} WHERE id = :id",
            values | {"id": head.trace_id},
        )

    def insert(
        self,
        trace_id: str,
        trace: Trace,
        author: str,
        parent: str | None,
        parent_hash: str | None,
        created_at: str | None = None,
    ) -> Revision:
        """Stores one revision without moving a head, or finds it where it was stored before; `created_at` is this moment
        where none is given. For this package: call it inside `write()`."""
        text = canonical_json(trace_to_json(trace, None))
        digest = revision_hash(parent_hash, text)
        sql = "SELECT * FROM revisions WHERE trace_id = ? AND hash = ?"
        if (twin := self._connections.row(sql, (trace_id, digest))) is not None:
            return _revision(twin)
        row = self._connections.row("SELECT max(number) FROM revisions WHERE trace_id = ?", (trace_id,))
        number = ((row and row[0]) or 0) + 1
        revision = Revision(new_id(), trace_id, parent, number, storable(author), created_at or now(), digest, trace)
        self._connections.database().conn.execute(
            "INSERT INTO revisions (id, trace_id, parent_id, number, author, created_at, hash, trace_json) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (revision.id, trace_id, parent, number, revision.author, revision.created_at, digest, text),
        )
        return revision

    def list(self, trace_id: str) -> list[Revision]:
        """Every version, branches included, in the order they were saved; empty for an unknown trace."""
        sql = "SELECT * FROM revisions WHERE trace_id = ? ORDER BY number"
        return [_revision(row) for row in self._connections.rows(sql, (trace_id,))]


def _revision(row: sqlite3.Row) -> Revision:
    return Revision(
        row["id"],
        row["trace_id"],
        row["parent_id"],
        row["number"],
        row["author"],
        row["created_at"],
        row["hash"],
        trace_from_json(json.loads(row["trace_json"]))[0],
    )
