"""Attempts that a job made at examples: what each came to, under a key that is the same whenever the job is run.

The idea: an attempt is named by (job, position of its example in the job's source, its number there), so a job that was
stopped or killed knows what it need not ask again. Its trace lies in `traces`, where it was kept; what it came to lies here,
where it was not kept as well. The attempts of one job at one example are a group: their traces carry the same `group_id`.

Invariants: an attempt is recorded once, together with its trace; a trace that is deleted leaves its attempt's numbers.
Not covered: asking (`engine.jobs.attempts`), what they come to together (`engine.evaluation.scoring`).
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from engine.errors import Conflict
from engine.store.connection import Connections
from engine.store.identity import canonical_json, storable
from engine.store.revisions import example_key
from engine.trace import Example
from engine.trace_json import example_to_json

__all__ = ["Attempt", "AttemptCounts", "Attempts", "LookTotals", "example_hash", "group_id"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """Attempt `number` (from 0) at example `position` (from 0) of a job. `trace_id` is None where the trace was not kept, or
    is deleted; `score` in [0, 1] or None where unscored; `hit` None without evidence; `chance` is what guessing would
    score, None where that is not known."""

    position: int
    number: int
    example_key: str
    trace_id: str | None
    score: float | None
    hit: bool | None
    has_operation: bool
    operation_errors: int
    is_empty: bool
    tokens: int
    cpu_s: float
    rule: str
    category: str | None
    difficulty: str | None
    chance: float | None


@dataclass(frozen=True, slots=True)
class AttemptCounts:
    """Of a job: attempts made, at how many examples, how many traces of them are kept, what the `scored` add up to, and
    the tokens that all took."""

    made: int
    examples: int
    kept: int
    scored: int
    total_score: float
    tokens: int

    @property
    def accuracy(self) -> float | None:
        """The mean score, None where nothing is scored."""
        return self.total_score / self.scored if self.scored else None


@dataclass(frozen=True, slots=True)
class LookTotals:
    """Of a job: attempts whose looks were weighed, their looks, and the mean probability of the answer before a look and
    after it, None without any."""

    attempts: int
    looks: int
    before: float | None
    after: float | None


def group_id(job_id: str, position: int) -> str:
    """What the traces of a job's attempts at one example carry: 32 hexadecimal digits."""
    return hashlib.sha256(f"{job_id}/{position}".encode()).hexdigest()[:32]


def example_hash(example: Example) -> str:
    """SHA-256 of all that is known of an example, its media by their hashes, as canonical JSON."""
    return hashlib.sha256(canonical_json(example_to_json(example)).encode("ascii")).hexdigest()


class Attempts:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def begin(self, job_id: str, position: int, example: Example, rule: str, chance: float | None) -> None:
        """Say what the example at a position is, before its first attempt is recorded; again is nothing. Raises
        Conflict where another one stood there when the job was run before."""
        digest = example_hash(example)
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT OR IGNORE INTO attempted_examples VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    job_id,
                    position,
                    example_key(example),
                    digest,
                    rule,
                    example.category and storable(example.category),
                    example.difficulty and storable(example.difficulty),
                    chance,
                ),
            )
            sql = "SELECT hash FROM attempted_examples WHERE job_id = ? AND position = ?"
            row = self._connections.row(sql, (job_id, position))
            if row is None or row["hash"] != digest:
                raise Conflict(
                    f"example {position + 1} of this job is another one than when it was begun; start a new job on what "
                    "the examples are now"
                )

    def record(
        self,
        job_id: str,
        position: int,
        number: int,
        *,
        trace_id: str | None,
        score: float | None,
        hit: bool | None,
        has_operation: bool,
        operation_errors: int,
        is_empty: bool,
        tokens: int,
        cpu_s: float,
    ) -> None:
        """An attempt at an example that was begun, with the id of its trace where that is kept; raises
        sqlite3.IntegrityError where it is recorded already. Call it in the transaction that records the trace."""
        values = (
            *(job_id, position, number, trace_id, score, hit),
            *(has_operation, operation_errors, is_empty, tokens, cpu_s),
        )
        with self._connections.write() as db:
            db.conn.execute(f"INSERT INTO attempts VALUES ({', '.join('?' * len(values))})", values)

    def made(self, job_id: str) -> dict[int, frozenset[int]]:
        """Position -> the numbers of the attempts that are recorded there."""
        found: dict[int, set[int]] = {}
        for row in self._connections.rows("SELECT position, number FROM attempts WHERE job_id = ?", (job_id,)):
            found.setdefault(row["position"], set()).add(row["number"])
        return {position: frozenset(numbers) for position, numbers in found.items()}

    def counts(self, job_id: str) -> AttemptCounts:
        row = self._connections.row(
            "SELECT count(*), count(DISTINCT position), count(trace_id), count(score), total(score), total(tokens) "
            "FROM attempts WHERE job_id = ?",
            (job_id,),
        )
        assert row is not None  # an aggregate always has a row
        made, examples, kept, scored, total_score, tokens = row
        return AttemptCounts(made, examples, kept, scored, total_score, int(tokens))

    def of(self, job_id: str) -> Iterator[Attempt]:
        """Every attempt of a job, by position and number."""
        sql = (
            "SELECT a.*, e.example_key, e.rule, e.category, e.difficulty, e.chance FROM attempts a "
            "JOIN attempted_examples e USING (job_id, position) WHERE a.job_id = ? ORDER BY a.position, a.number"
        )
        for row in self._connections.stream(sql, (job_id,)):
            yield _attempt(row)

    def looks(self, job_id: str) -> LookTotals:
        """What the looks were worth of those attempts whose traces are kept, as weighed when they were made."""
        row = self._connections.row(
            "SELECT count(DISTINCT a.trace_id), count(w.step), avg(w.before), avg(w.after) FROM attempts a "
            "JOIN revisions r ON r.trace_id = a.trace_id AND r.number = 1 JOIN look_worths w ON w.revision_id = r.id "
            "WHERE a.job_id = ?",
            (job_id,),
        )
        assert row is not None  # an aggregate always has a row
        return LookTotals(*row)

    def data_hash(self, job_id: str) -> str:
        """SHA-256 over the hashes of all examples that were attempted, in their order: the same data give the same."""
        digest = hashlib.sha256()
        sql = "SELECT hash FROM attempted_examples WHERE job_id = ? ORDER BY position"
        for row in self._connections.stream(sql, (job_id,)):
            digest.update(row["hash"].encode("ascii"))
        return digest.hexdigest()


def _attempt(row: sqlite3.Row) -> Attempt:
    values: dict[str, Any] = {name: row[name] for name in Attempt.__dataclass_fields__}
    flags = {
        name: None if values[name] is None else bool(values[name]) for name in ("hit", "has_operation", "is_empty")
    }
    return Attempt(**(values | flags))
