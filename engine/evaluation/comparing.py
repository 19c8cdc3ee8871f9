"""Two runs over the same examples: how far apart they are, whether that is more than chance, and which examples changed.

Per example i both runs have a mean score over their attempts; d_i is the second's less the first's, and n the examples.

    difference    mean of d_i, with the standard error s / sqrt(n), s the deviation of d_i (n - 1)
    interval      difference -+ t(n - 1) standard errors, 95%; t by the expansion of Cornish and Fisher in 1 / (n - 1)
    p             two-sided sign test on the examples that changed (McNemar, exact): the share of all ways in which as many
                  heads and tails fall as unevenly
    gain, harm    mean of max(d_i, 0) and of max(-d_i, 0): against the same run without operations, what looking won and lost
    needed        ((z_0.975 + z_0.80) s / difference)^2: examples at which a true difference as large as this, as scattered, is
                  told apart by its 95% interval four times in five (the power of a paired test, normal approximation)

It is better or worse where the interval leaves 0 out and p is below 0.05. Not covered: more than two runs, and runs over
different examples.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

__all__ = ["Change", "Compared", "Comparison", "compare", "is_looking_between", "student_t_95"]

_Z95, _Z80 = 1.959964, 0.841621
"""Quantiles of the normal distribution: 97.5%, and 80% for the power."""
_LEAST_P = 0.05


class Compared(Protocol):
    """An attempt of either run; `score` None is unscored."""

    @property
    def example_key(self) -> str: ...

    @property
    def score(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Change:
    """An example whose mean score changed."""

    example_key: str
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Scores are means in [0, 1] over the `n` examples that both runs scored; `low` and `high` are None below two of them,
    `needed` where no number would do. `changed` is worst first. `only_before` and `only_after` count the examples that the
    other run does not have."""

    n: int
    before: float
    after: float
    stderr: float | None
    low: float | None
    high: float | None
    p: float
    gain: float
    harm: float
    needed: int | None
    changed: tuple[Change, ...]
    only_before: int
    only_after: int

    @property
    def difference(self) -> float:
        return self.after - self.before

    @property
    def is_told_apart(self) -> bool:
        return self.low is not None and self.high is not None and self.low * self.high > 0 and self.p < _LEAST_P

    @property
    def words(self) -> str:
        """What it comes to, for people: "better by 6 to 14 points"."""
        if self.n == 0:
            return "they have no example in common"
        if not self.changed:
            return "the same on the one example" if self.n == 1 else f"the same on all {self.n} examples"
        if self.low is None or self.high is None or not self.is_told_apart:
            wanted = "" if self.needed is None else f": use about {self.needed}"
            return f"cannot be told apart with {self.n} example{'' if self.n == 1 else 's'}{wanted}"
        near, far = sorted((abs(self.low), abs(self.high)))
        return f"{'better' if self.difference > 0 else 'worse'} by {100 * near:.0f} to {100 * far:.0f} points"


def compare(before: Iterable[Compared], after: Iterable[Compared]) -> Comparison:
    """The run `after` against the run `before`, example by example."""
    first, second = _means(before), _means(after)
    both = sorted(first.keys() & second.keys())
    differences = [second[key] - first[key] for key in both]
    n = len(both)
    changes = [Change(key, first[key], second[key]) for key in both if first[key] != second[key]]
    mean = statistics.fmean(differences) if n else 0.0
    deviation = statistics.stdev(differences) if n > 1 else None
    stderr = None if deviation is None else deviation / math.sqrt(n)
    margin = None if stderr is None else student_t_95(n - 1) * stderr
    return Comparison(
        n=n,
        before=statistics.fmean(first[key] for key in both) if n else 0.0,
        after=statistics.fmean(second[key] for key in both) if n else 0.0,
        stderr=stderr,
        low=None if margin is None else mean - margin,
        high=None if margin is None else mean + margin,
        p=_sign_test(sum(d > 0 for d in differences), sum(d < 0 for d in differences)),
        gain=sum(max(d, 0.0) for d in differences) / n if n else 0.0,
        harm=sum(max(-d, 0.0) for d in differences) / n if n else 0.0,
        needed=_needed(mean, deviation),
        changed=tuple(sorted(changes, key=lambda one: (one.after - one.before, one.example_key))),
        only_before=len(first.keys() - second.keys()),
        only_after=len(second.keys() - first.keys()),
    )


def is_looking_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether, by the provenance of two evaluations, the second is the first with operations allowed: then `gain` is what
    looking put right, and `harm` what it put wrong."""
    is_allowed = [run.get("is_operating") for run in (before, after)]
    same = ("policy", "data_sha256", "protocol_of", "scorers", "temperature")
    return is_allowed == [False, True] and all(before.get(name) == after.get(name) for name in same)


def _means(attempts: Iterable[Compared]) -> Mapping[str, float]:
    scores: dict[str, list[float]] = {}
    for one in attempts:
        if one.score is not None:
            scores.setdefault(one.example_key, []).append(one.score)
    return {key: statistics.fmean(some) for key, some in scores.items()}


def student_t_95(freedom: int) -> float:
    """The 97.5% quantile of Student's t, within 1% of the exact one from three degrees of freedom on."""
    z, v = _Z95, freedom
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
    )


def _sign_test(heads: int, tails: int) -> float:
    """Two-sided, exact: 2 P(at most the fewer) of a fair coin, at most 1."""
    n = heads + tails
    fewer = sum(math.comb(n, k) for k in range(min(heads, tails) + 1))
    return min(1.0, 2 * fewer / 2**n)


def _needed(mean: float, deviation: float | None) -> int | None:
    if not mean or not deviation:
        return None
    wanted = ((_Z95 + _Z80) * deviation / mean) ** 2
    digits = max(0, math.floor(math.log10(wanted)) - 1)
    return math.ceil(wanted / 10**digits) * 10**digits  # two figures: it is an estimate
