"""Which example becomes which kind of trajectory: the paper's kinds in the paper's shares (paper, section 4.1).

    pictures    single_pass 30%   recrop_once 20%   recrop_twice 20%   further_zoom 30%
    clips       single_pass 90%   reselect 10%
    text        2,000 of the paper's 7,500 trajectories have no operation at all

Algorithm: counts by largest remainder, so that they miss their shares by less than one and sum up exactly. Text-space
trajectories go to examples that are known to be easy first, then to those without evidence, then to those whose evidence is
the largest: what can be seen in the first view may be answered from it (the paper takes separate, easier data sets; ours may
all come from one). The other
kinds are dealt out in an order drawn from the seed, each only where it is possible: a box beside the cue needs room
there, a box that is too large needs a cue that is small. What cannot be dealt out becomes single_pass.

Invariants: deterministic by seed; needs no pixels. Not covered: what a trajectory looks like (`engine.synthesis.trajectories`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from engine.operations import CropRule
from engine.synthesis.regions import can_lie_beside, can_select_others, can_surround, cue_of
from engine.trace import CLIP_FRAMES, Evidence

__all__ = [
    "CLIP_SHARES",
    "PICTURE_SHARES",
    "TEXT_SHARE",
    "Kind",
    "Plan",
    "Planned",
    "allot",
    "is_possible",
    "plan",
]

Kind = Literal["text", "single_pass", "recrop_once", "recrop_twice", "further_zoom", "reselect"]
"""Names as `engine.faithfulness.trajectory` recognises them."""

PICTURE_SHARES: Mapping[Kind, float] = {
    "single_pass": 0.30,
    "recrop_once": 0.20,
    "recrop_twice": 0.20,
    "further_zoom": 0.30,
}
CLIP_SHARES: Mapping[Kind, float] = {"single_pass": 0.90, "reselect": 0.10}
TEXT_SHARE = 2_000 / 7_500

_SCARCE_FIRST: tuple[Kind, ...] = ("recrop_twice", "recrop_once", "further_zoom", "reselect")


@dataclass(frozen=True, slots=True)
class Planned:
    """A trajectory to be made: of which example (an index), of which kind, from which seed."""

    example: int
    kind: Kind
    seed: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`left_out` are (index of an example, why no trajectory can be made of it)."""

    trajectories: tuple[Planned, ...]
    left_out: tuple[tuple[int, str], ...]


def allot(count: int, shares: Mapping[Kind, float]) -> dict[Kind, int]:
    """How many of `count` each kind gets: largest remainder, ties to the kind named first. Shares sum up to 1."""
    exact = {kind: count * share for kind, share in shares.items()}
    # A hair is added, so that 0.3 * 10 = 2.9999999999999996 is 3.
    counts = {kind: math.floor(value + 1e-9) for kind, value in exact.items()}
    by_remainder = sorted(exact, key=lambda kind: counts[kind] - exact[kind])
    for kind in by_remainder[: count - sum(counts.values())]:
        counts[kind] += 1
    return counts


def is_possible(kind: Kind, evidence: Evidence | None, rule: CropRule) -> bool:
    """Whether a trajectory of that kind can be made of this evidence, given how crops are cut."""
    if kind == "text":
        return True
    if evidence is None or not (evidence.boxes or evidence.frames):
        return False
    if evidence.frames:
        return kind == "single_pass" or (kind == "reselect" and can_select_others(evidence.frames))
    cue = cue_of(evidence.boxes)
    if kind in ("recrop_once", "recrop_twice"):
        return can_lie_beside(cue, rule.padding)
    return kind == "single_pass" or (kind == "further_zoom" and can_surround(cue, rule.padding))


def plan(
    examples: Sequence[tuple[str | None, Evidence | None]],
    rule: CropRule,
    *,
    count: int | None = None,
    seed: int = 0,
    text_share: float = TEXT_SHARE,
    easy: Collection[int] = (),
) -> Plan:
    """Which trajectories to make of `examples`, given as (answer, evidence): `count` of them, by default one each; more
    than there are examples go round again, with other errors. `easy` are the indices of those that are known to be answered
    from the first view. The order is that of the examples.

    Raises ValueError for a share outside 0 to 1 or a negative count.
    """
    if not 0 <= text_share <= 1 or (count is not None and count < 0):
        raise ValueError(f"a share of text from 0 to 1 and a count from 0 are needed, not {text_share} and {count}")
    left_out = [(index, "it has no answer") for index, (answer, _) in enumerate(examples) if not answer]
    usable = [index for index, (answer, _) in enumerate(examples) if answer]
    random.Random(f"order {seed}").shuffle(usable)
    rounds = 1 if count is None or not usable else -(-count // len(usable))
    dealt = [(index, turn) for turn in range(rounds) for index in usable][:count]

    quota = round(len(dealt) * text_share)
    by_ease = sorted(dealt, key=lambda one: (one[0] not in easy, -_ease(examples[one[0]][1])))
    kinds: dict[tuple[int, int], Kind] = {one: "text" for one in by_ease[:quota]}
    rest = [one for one in dealt if one not in kinds]
    blind = [one for one in rest if _ease(examples[one[0]][1]) == math.inf]
    left_out += [
        (index, "it has no evidence, and enough others are answered without an operation") for index, _ in blind
    ]
    for is_clip, shares in ((False, PICTURE_SHARES), (True, CLIP_SHARES)):
        ours = [one for one in rest if one not in blind and bool(_frames(examples[one[0]][1])) == is_clip]
        kinds |= _deal(ours, {one: examples[one[0]][1] for one in ours}, shares, rule)
    return Plan(
        tuple(Planned(index, kinds[index, turn], f"{seed} {index} {turn}") for index, turn in sorted(kinds)),
        tuple(sorted(set(left_out))),
    )


def _deal(
    ours: Sequence[tuple[int, int]],
    evidence: Mapping[tuple[int, int], Evidence | None],
    shares: Mapping[Kind, float],
    rule: CropRule,
) -> dict[tuple[int, int], Kind]:
    counts = allot(len(ours), shares)
    free = list(ours)
    kinds: dict[tuple[int, int], Kind] = {}
    for kind in (kind for kind in _SCARCE_FIRST if kind in counts):
        others = [other for other in _SCARCE_FIRST if other in counts and other != kind]
        able = [one for one in free if is_possible(kind, evidence[one], rule)]
        # Those first that are good for little else; the order drawn from the seed holds among equals.
        able.sort(key=lambda one: sum(is_possible(other, evidence[one], rule) for other in others))
        kinds |= dict.fromkeys(able[: counts[kind]], kind)
        free = [one for one in free if one not in kinds]
    return kinds | dict.fromkeys(free, "single_pass")


def _frames(evidence: Evidence | None) -> tuple[int, ...]:
    return evidence.frames if evidence else ()


def _ease(evidence: Evidence | None) -> float:
    """How much of the first view the evidence is: infinite where none is known."""
    if evidence is None or not (evidence.boxes or evidence.frames):
        return math.inf
    return len(set(evidence.frames)) / CLIP_FRAMES if evidence.frames else cue_of(evidence.boxes).area
