"""What a training run is measured on before and after, and never learns from: chosen here, set apart before anything is learned.

    "share"          a part of what would be learned from: the person's own data, and the default
    a source's name  a drawn or published benchmark, an imported data set, an EXAMPLES.jsonl (`engine.evaluation.sources`)
    "evaluation:ID"  the examples that a recorded evaluation ran over
    ""               nothing is measured

Algorithm of the share (`hold_out`): items that share a medium belong together, so a picture is on one side with all its
questions. Such a group has a place in [0, 1) that follows from its media's hashes alone; those below the share are held out,
the lowest first while there is room. So whatever is approved later, nothing that was learned from is held out in a later run
of the same share, and what answers by then has not seen what examines it. One exception: where all groups but one are below
the share, that one is left to learn from, wherever its place.

Not covered: measuring (`engine.jobs.measuring`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInput
from engine.evaluation.drawn import benchmark_named
from engine.evaluation.sources import Source, source_named
from engine.store import Store

__all__ = ["MAX_HELD_OUT", "NOTHING", "RECORDED", "SHARE", "HeldOut", "HeldOutSet", "hold_out"]

MAX_HELD_OUT = 2000
NOTHING, SHARE, RECORDED = "", "share", "evaluation:"


@dataclass(frozen=True, slots=True)
class HeldOut:
    """What a person chose: `name` as in the module docstring; `share` in (0, 0.9] of what would be learned from; at most
    `count` examples; `seed` is that of a drawn benchmark, another one than `evaluate` takes by default. Raises InvalidInput."""

    name: str = SHARE
    share: float = 0.2
    count: int = 100
    seed: int = 7

    def __post_init__(self) -> None:
        if not 0 < self.share <= 0.9:
            raise InvalidInput(f"a share above 0 and up to 0.9 can be held out, not {self.share:g}")
        if not 1 <= self.count <= MAX_HELD_OUT:
            raise InvalidInput(f"1 to {MAX_HELD_OUT:,} held-out examples can be measured, not {self.count}")

    def source(self, store: Store) -> Source | None:
        """Where the examples come from; None for a share and for nothing. Raises InvalidInput, NotFound."""
        if self.name in (NOTHING, SHARE):
            return None
        if self.name.startswith(RECORDED):
            evaluation = store.evaluations.get(self.name.removeprefix(RECORDED))
            source = Source.from_json(evaluation.provenance["source"])
            return dataclasses.replace(source, limit=min(self.count, source.size or self.count))
        return source_named(self.name, store, limit=self.count, seed=self.seed if benchmark_named(self.name) else 0)


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """The examples that a job is measured on, as its record remembers them: those of `source`; where that is "accepted", the
    questions of `revision_ids`; `examples` names a file of questions of its own (`engine.training.snapshot`). `answerer` is
    whom the new adapter is compared with (`engine.jobs.answering`), and `note` says what a person should know of the choice."""

    source: Source
    revision_ids: tuple[str, ...] = ()
    examples: Mapping[str, Any] | None = None
    answerer: Mapping[str, Any] | None = None
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> HeldOutSet | None:
        """From what a job recorded; None where it is not measured. Builds before 2026-11-29 recorded a drawn benchmark, its
        count and its seed."""
        if not data:
            return None
        if "source" not in data:
            count = data.get("count", 0)
            return cls(Source("drawn", data["benchmark"], count, seed=data.get("seed", 7))) if count else None
        ids = tuple(data.get("revision_ids") or ())
        source = Source.from_json(data["source"])
        return cls(source, ids, data.get("examples"), data.get("answerer"), data.get("note") or "")


def hold_out(
    items: Sequence[Collection[str]], share: float, count: int = MAX_HELD_OUT, known: Collection[str] = ()
) -> frozenset[int]:
    """The positions of the items to hold out, at most `count`; an item is the sha256 of its media, and one with a medium
    that is `known` already is never held out. At least one group where there are two, and never all of them."""
    groups = [group for group in _groups(items) if not any(set(items[k]) & set(known) for k in group)]
    is_all = len(groups) == len(_groups(items))
    placed = sorted(groups, key=lambda group: _place(items, group))
    found: set[int] = set()
    for taken, group in enumerate(placed):
        is_last = is_all and taken == len(placed) - 1
        is_wanted = _place(items, group) < share or not found
        if is_last or not is_wanted or (found and len(found) + len(group) > count):
            break
        found |= set(group)
    return frozenset(found)


def _groups(items: Sequence[Collection[str]]) -> list[list[int]]:
    """Positions by connected component: two items are connected where they share a medium."""
    group_of: dict[str, list[int]] = {}
    for position, media in enumerate(items):
        joined = [position]
        for other in {id(one): one for sha256 in media if (one := group_of.get(sha256))}.values():
            joined += other
        for member in joined:
            for sha256 in items[member]:
                group_of[sha256] = joined
    return list({id(group): sorted(group) for group in group_of.values()}.values())


def _place(items: Sequence[Collection[str]], group: Sequence[int]) -> float:
    """In [0, 1): from SHA-256 of the group's first medium in alphabetical order."""
    first = min(sha256 for position in group for sha256 in items[position])
    return int(hashlib.sha256(f"held out {first}".encode()).hexdigest()[:13], 16) / 16**13
