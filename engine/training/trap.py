"""The learning trap: a policy gives up operating because early operations fail (paper, section 5).

Text-only answers are the safer bet at the start, so without curiosity RaPR falls (in the paper from 0.55 to 0 in 240
steps), and what is never tried is never learned.

The rule, ours: over the last WINDOW steps RaPR is on average below the threshold H, and below half of the best average
that WINDOW steps in a row ever had. A policy that never operated has given nothing up, and is not alarmed about.
"""

from __future__ import annotations

from collections.abc import Sequence

from engine.thresholds import RAPR_THRESHOLD

__all__ = ["WINDOW", "is_trapped"]

WINDOW = 5
"""Steps that are averaged: one step's rollouts are few."""


def is_trapped(rates: Sequence[float], threshold: float = RAPR_THRESHOLD) -> bool:
    """Whether the RaPR of the steps so far, in order, shows the trap at the last of them."""
    if len(rates) < 2 * WINDOW:
        return False
    means = [sum(rates[k - WINDOW : k]) / WINDOW for k in range(WINDOW, len(rates) + 1)]
    return means[-1] < threshold and means[-1] < max(means) / 2
