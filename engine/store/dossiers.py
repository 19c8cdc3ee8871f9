"""Dossiers: everything that is known of one trace as one value, to leave a store with or to come into another.

Invariant: revisions are named by their hashes here, never by ids, which are each store's own.

Not covered: drafts, reservations, assignments and what was done when (`engine.store.history`), which stay in the house;
files (`engine.exchange`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.store.connection import Connections
from engine.store.reviews import Verdict
from engine.store.revisions import Revision, Revisions
from engine.store.search import Status
from engine.store.traces import Traces
from engine.trace import Example, Trace

__all__ = ["Blanked", "Decided", "Dossier", "Dossiers", "Preferred", "Reviewed", "Tagged", "Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """A revision; `parent` is the hash of the one that it changes, None for the first. `number` counts from 1."""

    hash: str
    parent: str | None
    number: int
    author: str
    created_at: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A verdict that stands, on the version `revision`."""

    revision: str
    reviewer: str
    verdict: Verdict
    reason: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The last word on a disputed version."""

    revision: str
    author: str
    verdict: Literal["accepted", "rejected"]
    reason: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Tagged:
    tag: str
    author: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Blanked:
    """What blanking the crop of `step` (from 0) of the head did to its answer."""

    step: int
    answer: str | None
    expected: str | None
    is_changed: bool
    created_at: str


@dataclass(frozen=True, slots=True)
class Preferred:
    """`chosen` and `rejected` are (trace id, hash of the version); in a tie neither is better."""

    id: str
    chosen: tuple[str, str]
    rejected: tuple[str, str]
    is_tie: bool
    author: str
    reason: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """A trace with what is known of it. `trace` is the head; what a format does not say has its default.

    `names` are the file names under which the media came, in their order, "" where unknown. `number` counts the store's
    traces. `revision` and `revision_number` name the head. `wanted` is how many people's reviews were asked for.
    `versions` holds every revision in the order they were saved, or nothing where they were not asked for.
    """

    trace: Trace
    example: Example
    id: str = ""
    number: int = 0
    status: Status = "new"
    author: str = ""
    policy_settings: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None
    confidence: float | None = None
    names: tuple[str, ...] = ()
    revision: str = ""
    revision_number: int = 1
    created_at: str = ""
    updated_at: str = ""
    tags: tuple[Tagged, ...] = ()
    wanted: int = 1
    reviews: tuple[Reviewed, ...] = ()
    decisions: tuple[Decided, ...] = ()
    blanked: tuple[Blanked, ...] = ()
    preferences: tuple[Preferred, ...] = ()
    versions: tuple[Version, ...] = ()


class Dossiers:
    def __init__(self, connections: Connections, traces: Traces, revisions: Revisions) -> None:
        self._connections = connections
        self._traces = traces
        self._revisions = revisions

    def get(self, trace_id: str, *, has_versions: bool = False) -> Dossier:
        """What is known of a trace, with its earlier versions where `has_versions`. Raises NotFound."""
        record = self._traces.get(trace_id)
        item = record.item
        head = self._revisions.get(record.head_id)
        return Dossier(
            trace=head.trace,
            example=record.example,
            id=item.id,
            number=item.number,
            status=item.status,
            author=item.author,
            policy_settings=record.policy_settings,
            score=item.score,
            confidence=item.confidence,
            names=tuple(self._name(medium.sha256) for medium in head.trace.media),
            revision=head.hash,
            revision_number=head.number,
            created_at=item.created_at,
            updated_at=item.updated_at,
            tags=self._tags(item.id),
            wanted=self._wanted(item.id),
            reviews=self._reviews(item.id),
            decisions=self._decisions(item.id),
            blanked=self._blanked(head.id),
            preferences=self._preferences(item.id),
            versions=_versions(self._revisions.list(item.id)) if has_versions else (),
        )

    def _name(self, sha256: str) -> str:
        row = self._connections.row("SELECT name FROM media WHERE sha256 = ?", (sha256,))
        return "" if row is None else row["name"]

    def _tags(self, trace_id: str) -> tuple[Tagged, ...]:
        sql = "SELECT tag, author, created_at FROM trace_tags WHERE trace_id = ? ORDER BY tag"
        return tuple(Tagged(*row) for row in self._connections.rows(sql, (trace_id,)))

    def _wanted(self, trace_id: str) -> int:
        row = self._connections.row("SELECT wanted FROM review_rounds WHERE trace_id = ?", (trace_id,))
        return 1 if row is None else row["wanted"]

    def _reviews(self, trace_id: str) -> tuple[Reviewed, ...]:
        sql = (
            "SELECT r.hash, v.reviewer, v.verdict, v.reason, v.created_at FROM reviews v "
            "JOIN revisions r ON r.id = v.revision_id WHERE v.trace_id = ? AND v.undone_at IS NULL ORDER BY v.number"
        )
        return tuple(Reviewed(*row) for row in self._connections.rows(sql, (trace_id,)))

    def _decisions(self, trace_id: str) -> tuple[Decided, ...]:
        sql = (
            "SELECT r.hash, a.author, a.verdict, a.reason, a.created_at FROM adjudications a "
            "JOIN revisions r ON r.id = a.revision_id WHERE a.trace_id = ? ORDER BY a.number"
        )
        return tuple(Decided(*row) for row in self._connections.rows(sql, (trace_id,)))

    def _blanked(self, revision_id: str) -> tuple[Blanked, ...]:
        sql = "SELECT step, answer, expected, is_changed, created_at FROM blank_checks WHERE revision_id = ? ORDER BY step"
        rows = self._connections.rows(sql, (revision_id,))
        return tuple(
            Blanked(r["step"], r["answer"], r["expected"], bool(r["is_changed"]), r["created_at"]) for r in rows
        )

    def _preferences(self, trace_id: str) -> tuple[Preferred, ...]:
        mine = "(SELECT id FROM revisions WHERE trace_id = :id)"
        rows = self._connections.rows(
            f"""SELECT p.*, c.trace_id AS chosen_trace, c.hash AS chosen, r.trace_id AS rejected_trace, r.hash AS rejected
            FROM preferences p JOIN revisions c ON c.id = p.chosen_id JOIN revisions r ON r.id = p.rejected_id
            WHERE p.undone_at IS NULL AND p.number IN (
                SELECT number FROM preferences WHERE chosen_id IN {mine}
                UNION SELECT number FROM preferences WHERE rejected_id IN {mine}) ORDER BY p.number""",
            {"id": trace_id},
        )
        return tuple(
            Preferred(
                row["id"],
                (row["chosen_trace"], row["chosen"]),
                (row["rejected_trace"], row["rejected"]),
                bool(row["is_tie"]),
                row["author"],
                row["reason"],
                row["created_at"],
            )
            for row in rows
        )


def _versions(revisions: list[Revision]) -> tuple[Version, ...]:
    hashes = {revision.id: revision.hash for revision in revisions}
    return tuple(
        Version(one.hash, hashes.get(one.parent_id or ""), one.number, one.author, one.created_at, one.trace)
        for one in revisions
    )
