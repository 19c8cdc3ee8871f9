"""Adapters: trained LoRA weights on disk, and which of them answers.

Invariants:
- a path is relative to the artifacts folder and stays inside it, so that a moved home still finds its adapters;
- promotions are a history that only grows; the latest one says what is live, None being the bare backbone.

Not covered: the weights (`engine.training`), loading them (`engine.backbone`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from engine.errors import InvalidInput, NotFound
from engine.store.connection import Connections
from engine.store.identity import canonical_json, new_id, now, storable

__all__ = ["Adapter", "Adapters", "Promotion"]


@dataclass(frozen=True, slots=True)
class Adapter:
    """`path` is relative to the artifacts folder; `base_hash` names the backbone's weights that it was trained on;
    `metrics` is what its job measured, plain JSON; `deleted_traces` of those that its job learned from are gone for good."""

    id: str
    name: str
    path: str
    job_id: str | None
    base_model: str
    base_hash: str
    metrics: dict[str, Any]
    created_at: str
    deleted_traces: int = 0

    @property
    def is_discarded(self) -> bool:
        """Whether its weights were deleted; the record stays."""
        return bool(self.metrics.get("is_discarded"))


@dataclass(frozen=True, slots=True)
class Promotion:
    """From `created_at` on `adapter_id` answered; None is the bare backbone."""

    number: int
    adapter_id: str | None
    author: str
    created_at: str


_LONGEST_NAME = 80
_SELECT = """SELECT a.*, (SELECT count(DISTINCT t.trace_id) FROM job_tombstones j
    JOIN revision_tombstones t ON t.id = j.revision_id WHERE j.job_id = a.job_id) AS deleted_traces FROM adapters a """


class Adapters:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def record(
        self,
        name: str,
        path: str | PurePosixPath,
        job_id: str | None,
        base_model: str,
        base_hash: str,
        metrics: Mapping[str, Any],
    ) -> Adapter:
        """Records trained weights. Raises InvalidInput for a path that is absolute or leaves the artifacts folder,
        NotFound for an unknown job."""
        inside = PurePosixPath(str(path).replace("\\", "/"))
        if inside.is_absolute() or ".." in inside.parts or not inside.parts or ":" in inside.parts[0]:
            raise InvalidInput(
                f"an adapter's path is relative to the artifacts folder and inside it, not {str(path)!r}"
            )
        adapter_id = new_id()
        with self._connections.write() as db:
            if job_id is not None and self._connections.row("SELECT 1 FROM jobs WHERE id = ?", (job_id,)) is None:
                raise NotFound(f"there is no job {job_id!r} in the store")
            db.conn.execute(
                "INSERT INTO adapters (id, name, path, job_id, base_model, base_hash, metrics, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    adapter_id,
                    storable(name),
                    str(inside),
                    job_id,
                    base_model,
                    base_hash,
                    canonical_json(dict(metrics)),
                    now(),
                ),
            )
            return self.get(adapter_id)

    def get(self, adapter_id: str) -> Adapter:
        """Raises NotFound."""
        row = self._connections.row(_SELECT + "WHERE a.id = ?", (adapter_id,))
        if row is None:
            raise NotFound(f"there is no adapter {adapter_id!r} in the store")
        return _adapter(row)

    def set_metrics(self, adapter_id: str, metrics: Mapping[str, Any]) -> Adapter:
        """Adds to an adapter's metrics, such as its accuracy after training. Raises NotFound."""
        with self._connections.write() as db:
            merged = self.get(adapter_id).metrics | dict(metrics)
            db.conn.execute("UPDATE adapters SET metrics = ? WHERE id = ?", (canonical_json(merged), adapter_id))
            return self.get(adapter_id)

    def rename(self, adapter_id: str, name: str) -> Adapter:
        """Raises NotFound, and InvalidInput for an empty or very long name, or one that another adapter has."""
        wanted = storable(name.strip())
        if not 0 < len(wanted) <= _LONGEST_NAME:
            raise InvalidInput(f"an adapter's name has 1 to {_LONGEST_NAME} characters, not {len(wanted)}")
        with self._connections.write() as db:
            self.get(adapter_id)
            if self._connections.row("SELECT 1 FROM adapters WHERE name = ? AND id <> ?", (wanted, adapter_id)):
                raise InvalidInput(f"another adapter is called {wanted!r}; choose another name")
            db.conn.execute("UPDATE adapters SET name = ? WHERE id = ?", (wanted, adapter_id))
            return self.get(adapter_id)

    def promote(self, adapter_id: str | None, author: str = "") -> Promotion:
        """Makes the adapter live; None goes back to the bare backbone. Raises NotFound."""
        with self._connections.write() as db:
            if adapter_id is not None:
                self.get(adapter_id)
            db.conn.execute(
                "INSERT INTO promotions (adapter_id, author, created_at) VALUES (?, ?, ?)",
                (adapter_id, storable(author), now()),
            )
            return self.promotions(limit=1)[0]

    def live(self) -> Adapter | None:
        """The adapter that answers, or None for the bare backbone."""
        latest = self.promotions(limit=1)
        return None if not latest or latest[0].adapter_id is None else self.get(latest[0].adapter_id)

    def previous(self) -> Adapter | None:
        """The adapter that answered before the one that answers now, and was not discarded; None where that was the bare
        backbone, or nothing was promoted yet."""
        history = self.promotions()
        for one in history[1:]:
            if one.adapter_id is None:
                return None
            found = self.get(one.adapter_id)
            if one.adapter_id != history[0].adapter_id and not found.is_discarded:
                return found
        return None

    def promotions(self, limit: int = 100) -> list[Promotion]:
        """The history, newest first."""
        sql = "SELECT number, adapter_id, author, created_at FROM promotions ORDER BY number DESC LIMIT ?"
        return [Promotion(*row) for row in self._connections.rows(sql, (limit,))]

    def stamp(self) -> tuple[Any, ...]:
        """Changes with every adapter, metric and promotion; costs two short queries."""
        row = self._connections.row(
            "SELECT count(*), total(length(metrics)), group_concat(name), (SELECT max(number) FROM promotions) "
            "FROM adapters"
        )
        return () if row is None else tuple(row)

    def list(self) -> list[Adapter]:
        """All adapters, newest first."""
        return [_adapter(row) for row in self._connections.rows(_SELECT + "ORDER BY a.number DESC")]


def _adapter(row: sqlite3.Row) -> Adapter:
    return Adapter(
        row["id"],
        row["name"],
        row["path"],
        row["job_id"],
        row["base_model"],
        row["base_hash"],
        json.loads(row["metrics"]),
        row["created_at"],
        row["deleted_traces"],
    )
