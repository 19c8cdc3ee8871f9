"""Evaluations: what a policy scored on which examples, and all that a score depends on, one a job of the kind "evaluate".

Not covered: the attempts themselves (`engine.store.attempts`), what a summary means (`engine.evaluation.scoring`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import NotFound
from engine.store.connection import Connections
from engine.store.identity import canonical_json, now
from engine.store.jobs import JobState

__all__ = ["Evaluation", "Evaluations"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`id` is its job's. `provenance` says what ran, in plain JSON (`engine.jobs.evaluate`); `summary` what it came to so
    far, None before the first attempt; it is that of the whole where `state` is "done"."""

    id: str
    state: JobState
    provenance: dict[str, Any]
    summary: dict[str, Any] | None
    created_at: str
    updated_at: str


_SELECT = (
    "SELECT e.job_id AS id, j.state, e.provenance, e.summary, j.created_at, e.updated_at "
    "FROM evaluations e JOIN jobs j ON j.id = e.job_id"
)


class Evaluations:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def record(self, job_id: str, provenance: Mapping[str, Any], summary: Mapping[str, Any] | None) -> Evaluation:
        """What the evaluation of a job is and what it came to; takes the place of what was recorded of it before."""
        summed_up = None if summary is None else canonical_json(dict(summary))
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?)",
                (job_id, canonical_json(dict(provenance)), summed_up, now()),
            )
            return self.get(job_id)

    def get(self, evaluation_id: str) -> Evaluation:
        """Raises NotFound."""
        if (found := self.find(evaluation_id)) is None:
            raise NotFound(f"there is no evaluation {evaluation_id!r} in the store")
        return found

    def find(self, evaluation_id: str) -> Evaluation | None:
        row = self._connections.row(f"{_SELECT} WHERE e.job_id = ?", (evaluation_id,))
        return None if row is None else _evaluation(row)

    def list(self, limit: int = 100) -> list[Evaluation]:
        """Newest first."""
        return [
            _evaluation(row) for row in self._connections.rows(f"{_SELECT} ORDER BY j.number DESC LIMIT ?", (limit,))
        ]


def _evaluation(row: sqlite3.Row) -> Evaluation:
    summary = None if row["summary"] is None else json.loads(row["summary"])
    return Evaluation(
        row["id"], row["state"], json.loads(row["provenance"]), summary, row["created_at"], row["updated_at"]
    )
