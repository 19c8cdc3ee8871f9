"""Thresholds that more than one room goes by: above which number something counts, for Python and SQL alike.

All of them go into the search index: a change of one makes the store build its index again at the next start
(`engine.store.facets.derive`). Released migrations keep the numbers that they had.
"""

from __future__ import annotations

__all__ = ["HELD_SHARE", "RAPR_MOSTLY_FROM", "RAPR_THRESHOLD", "UNSURE_BELOW"]

HELD_SHARE = 0.9
"""The share of the evidence, in [0, 1], from which on an operation's pictures hold it; what a hit must show."""

UNSURE_BELOW = 0.9
"""The confidence (geometric mean of the tokens' probabilities, in (0, 1]) below which a policy was not sure: a tenth of
the probability lost at every token, on the average."""

RAPR_THRESHOLD = 0.3
"""The rate of pixel-space reasoning (RaPR) that curiosity asks for, the paper's H (arXiv 2505.15966, section 4): below
it a group of rollouts operates seldom, from it on often."""

RAPR_MOSTLY_FROM = 0.7
"""The RaPR from which on a group is said to operate mostly."""
