"""Thresholds: the numbers above which something counts, each in one place for Python and SQL alike.

All of them go into the search index: a change of one makes the store build its index again at the next start
(`engine.store.facets.derive`). Released migrations keep the numbers that they had.
"""

from __future__ import annotations

__all__ = ["HELD_SHARE", "RAPR_MOSTLY_FROM", "RAPR_OFTEN_FROM", "UNSURE_BELOW"]

HELD_SHARE = 0.9
"""The share of the evidence, in [0, 1], from which on an operation's pictures are said to hold it."""

UNSURE_BELOW = 0.9
"""The confidence (geometric mean of the tokens' probabilities, in (0, 1]) below which a policy was not sure: a tenth of
the probability lost at every token, on the average."""

RAPR_OFTEN_FROM = 0.3
"""The rate of pixel-space reasoning (RaPR) from which on a group operates often; below it, seldom. It is the paper's
threshold H, to which curiosity drives (arXiv 2505.15966, section 4)."""

RAPR_MOSTLY_FROM = 0.7
"""The RaPR from which on a group is said to operate mostly."""
