"""Many times of one kind, told as a distribution: a mean would hide the waits that people notice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Spread", "ratio", "spread"]


@dataclass(frozen=True, slots=True)
class Spread:
    """`n` times in milliseconds. `p95_ms` is the nearest rank: the smallest time that at least 95 % do not exceed."""

    n: int
    median_ms: float
    p95_ms: float
    max_ms: float

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        return (
            f"median {self.median_ms:8.2f} ms   p95 {self.p95_ms:8.2f} ms   max {self.max_ms:8.2f} ms   (n = {self.n})"
        )


def spread(times_ms: Sequence[float]) -> Spread:
    """Of at least one time. The median of an even number is the lower of the two in the middle."""
    if not times_ms:
        raise ValueError("there is no distribution of no times")
    ordered = sorted(times_ms)
    n = len(ordered)
    nearest = -(-95 * n // 100) - 1
    return Spread(n, round(ordered[(n - 1) // 2], 2), round(ordered[nearest], 2), round(ordered[-1], 2))


def ratio(baseline: Spread, ours: Spread) -> float:
    """How many times the baseline's median is ours: above 1 we are faster."""
    return round(baseline.median_ms / max(ours.median_ms, 1e-3), 2)
