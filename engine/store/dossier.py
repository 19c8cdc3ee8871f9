"""A dossier: everything that is known of one trace as one value, to leave a store with or to come into another.

Invariant: revisions are named by their hashes here, never by ids, which are each store's own.

Not covered: reading and recording them (`engine.store.dossiers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.store.reviews import Verdict
from engine.store.search import Status
from engine.trace import Example, Trace

__all__ = ["Blanked", "Decided", "Dossier", "Preferred", "Reviewed", "Tagged", "Version", "Weighed"]


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
class Weighed:
    """How likely (0 to 1) `answer` was to `policy` before step `step` (from 0) of the head brought views, and after."""

    step: int
    answer: str
    before: float
    after: float
    policy: str
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
    traces; those of one group carry the same `group_id`. `revision` and `revision_number` name the head. `wanted` is how many
    people's reviews were asked for. `versions` holds every revision in the order they were saved, or nothing where they
    were not asked for.
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
    group_id: str | None = None
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
    weighed: tuple[Weighed, ...] = ()
    preferences: tuple[Preferred, ...] = ()
    versions: tuple[Version, ...] = ()
