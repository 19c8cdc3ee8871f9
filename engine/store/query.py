"""What the queue shows, as a plain value that fits into a URL.

Its filters are words of the full-text index (`engine.store.facets`), its dates moments of recording.

Invariants: `Query.from_params(query.to_params()) == query`; no value of a filter can reach the index but as a word of it.

Not covered: pages and their order (`engine.store.queue`), what a person types (`engine.store.search`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from engine.errors import InvalidInput
from engine.faithfulness import TRAJECTORIES, Trajectory
from engine.store.identity import storable
from engine.store.search import STATUSES, Outcome, Status
from engine.trace import STOP_REASONS, MediaKind, StopReason

__all__ = ["Query", "QueueOrder", "RoundState", "Seer"]

QueueOrder = Literal["newest", "oldest", "updated", "suggested"]
RaprLevel = Literal["never", "seldom", "often", "mostly", "always"]
EvidenceState = Literal["held", "missed", "unknown"]
RoundState = Literal["open", "agreed", "disputed", "adjudicated"]
Blanking = Literal["changes", "keeps"]

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
    "drafted_by": "drafted",
}
_PLAIN = ("kind", "outcome", "rapr", "evidence", "round", "blanking")


@dataclass(frozen=True, slots=True)
class Seer:
    """Whose eyes: a person sees what they asked themselves; a reader also what is not private (`engine.store.sight`)."""

    name: str
    is_reader: bool

    def sees(self, author: str, *, is_private: bool) -> bool:
        """Whether a trace that `author` asked is there for them."""
        return author == storable(self.name) or (self.is_reader and not is_private)

    @property
    def expression(self) -> str:
        """What the index must say of a trace that is seen."""
        own = f'facets : "author{storable(self.name).encode().hex()}"'
        return f'({own} OR facets : "shared")' if self.is_reader else own


@dataclass(frozen=True, slots=True)
class Query:
    """What the queue shows; None filters nothing.

    `source` is the part of an example's source before its first "/"; `rapr` how often the rollouts of the trace's group
    operate (`engine.thresholds`; single traces have none); `outcome` the score against gold; `reviewer`
    who has reviewed it; `drafted_by` who has changed it without saving; `round` the state of a round of several
    reviews ("disputed" is the adjudication list); `blanking` whether blanking a crop changed the answer; `since` and
    `until` are days in UTC, both included, such as "2026-11-23". `seer` is for whom it is asked, None for everybody; it is
    no filter and stands in no URL.
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
    drafted_by: str | None = None
    since: str | None = None
    until: str | None = None
    order: QueueOrder = "newest"
    seer: Seer | None = None

    def to_params(self) -> dict[str, str]:
        """For a URL: only what differs from the default; flags are "1" and "0"."""
        found: dict[str, str] = {}
        for f in fields(self):
            value = getattr(self, f.name)
            if value != f.default and f.name != "seer":
                found[f.name] = str(int(value)) if isinstance(value, bool) else value
        return found

    @classmethod
    def from_params(cls, params: Mapping[str, str]) -> Query:
        """Reads what `to_params` wrote; names that are no filter are left alone (a URL holds other things too). Raises
        InvalidInput for a value that its filter cannot have."""
        known = {f.name for f in fields(cls)} - {"seer"}
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
