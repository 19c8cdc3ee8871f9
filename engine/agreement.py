"""Agreement between reviewers: Cohen's kappa and Krippendorff's alpha on verdicts, intersection over union on boxes.

Pure statistics. 1 is perfect agreement, 0 what chance alone would give, below 0 is worse than chance. None says that the
data cannot tell (fewer than two ratings of anything, or a single value used throughout).

Sources: J. Cohen, "A coefficient of agreement for nominal scales" (1960); K. Krippendorff, "Computing Krippendorff's
Alpha-Reliability" (2011), nominal metric, missing ratings allowed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence

from engine.trace import Box

__all__ = ["box_agreement", "cohen_kappa", "krippendorff_alpha", "pairwise_kappa"]


def cohen_kappa(pairs: Iterable[tuple[Hashable, Hashable]]) -> float | None:
    """Kappa of two raters; each pair is their two ratings of one thing."""
    rated = list(pairs)
    if not rated:
        return None
    n = len(rated)
    first, second = Counter(a for a, _ in rated), Counter(b for _, b in rated)
    observed = sum(1 for a, b in rated if a == b) / n
    expected = sum(first[label] * second[label] for label in first) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def pairwise_kappa(ratings: Iterable[Mapping[str, Hashable]]) -> dict[tuple[str, str], tuple[float | None, int]]:
    """For every pair of raters (names sorted) that rated something together: their kappa and how many things. Each
    mapping holds the ratings of one thing by rater."""
    shared: dict[tuple[str, str], list[tuple[Hashable, Hashable]]] = {}
    for unit in ratings:
        names = sorted(unit)
        for k, a in enumerate(names):
            for b in names[k + 1 :]:
                shared.setdefault((a, b), []).append((unit[a], unit[b]))
    return {names: (cohen_kappa(pairs), len(pairs)) for names, pairs in sorted(shared.items())}


def krippendorff_alpha(units: Iterable[Sequence[Hashable | None]]) -> float | None:
    """Nominal alpha over any number of raters; each unit holds the ratings of one thing, None where a rater gave none.
    Things with fewer than two ratings say nothing and are left out."""
    coincidences: Counter[tuple[Hashable, Hashable]] = Counter()
    for unit in units:
        given = [rating for rating in unit if rating is not None]
        if len(given) < 2:
            continue
        counts = Counter(given)
        for a, n_a in counts.items():
            for b, n_b in counts.items():
                coincidences[a, b] += n_a * (n_b - (a == b)) / (len(given) - 1)  # type: ignore[assignment]
    totals: Counter[Hashable] = Counter()
    for (a, _), weight in coincidences.items():
        totals[a] += weight
    n = sum(totals.values())
    if n <= 1:
        return None
    expected = sum(v * (n - v) for v in totals.values()) / (n - 1)
    observed = sum(weight for (a, b), weight in coincidences.items() if a != b)
    return None if expected == 0 else 1 - observed / expected


def box_agreement(first: Sequence[Box], second: Sequence[Box]) -> float | None:
    """Mean intersection over union of two people's boxes on one picture, the best pairs first; a box without a partner
    counts as 0. None where neither drew any."""
    if not first and not second:
        return None
    pairs = sorted(((a.iou(b), i, j) for i, a in enumerate(first) for j, b in enumerate(second)), reverse=True)
    used_first: set[int] = set()
    used_second: set[int] = set()
    shared = 0.0
    for iou, i, j in pairs:
        if i not in used_first and j not in used_second:
            used_first.add(i)
            used_second.add(j)
            shared += iou
    return shared / max(len(first), len(second))
