"""Rows of the queue: what a person sees of a trace before opening it.

Not covered: which traces, and in which order (`engine.store.queue`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from engine.faithfulness import Trajectory
from engine.store.connection import Connections
from engine.store.query import RoundState
from engine.store.reservations import HOLD_S
from engine.store.traces import QueueItem, item_of

__all__ = ["Listed", "listed"]


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of the queue; `holder` is who is working on it right now, `round` the state of its round of reviews, if any;
    `group_size` is how many attempts stand together with it, found or not, itself among them."""

    item: QueueItem
    trajectory: Trajectory
    is_pretending: bool
    ignores_error: bool
    evidence_share: float | None
    tags: tuple[str, ...]
    holder: str | None
    round: RoundState | None
    group_size: int


def listed(connections: Connections, numbers: Sequence[int]) -> tuple[Listed, ...]:
    """The rows of the traces with these numbers, in their order."""
    marks = ", ".join("?" * len(numbers))
    sql = f"""SELECT t.*, v.holder, w.state AS round_state,
            (SELECT group_concat(x.tag, char(31)) FROM trace_tags x WHERE x.trace_id = t.id) AS tags,
            (SELECT count(*) FROM traces g WHERE g.group_id = t.group_id) AS group_size
        FROM traces t LEFT JOIN reservations v ON v.trace_id = t.id AND v.expires_at > ? AND v.expires_at <= ?
        LEFT JOIN review_rounds w ON w.trace_id = t.id WHERE t.number IN ({marks})"""
    moment = time.time()
    rows = {row["number"]: row for row in connections.rows(sql, (moment, moment + HOLD_S, *numbers))}
    return tuple(
        Listed(
            item=item_of(row),
            trajectory=row["trajectory"],
            is_pretending=bool(row["is_pretending"]),
            ignores_error=bool(row["ignores_error"]),
            evidence_share=row["evidence_share"],
            tags=tuple(sorted(row["tags"].split("\x1f"))) if row["tags"] else (),
            holder=row["holder"],
            round=row["round_state"],
            group_size=max(1, row["group_size"]),
        )
        for row in (rows[number] for number in numbers if number in rows)
    )
