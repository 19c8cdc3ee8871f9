"""Advantages token by token: what a rollout came to, less what others came to that had said the same so far.

GRPO compares a rollout with its whole group, and every token of it gets the same advantage. Where looking is the better bet, each
rollout that looks is paid for all it says, the digits of a box that could as well have been others among them, and what all
questions teach drowns in it (docs/rl.md). Rollouts of a group begin alike, so that the group knows more: who has decided to look
is compared with the others that did.

    A(i, t)     (r_i - b(i, t)) / (std + 1e-6)      std over the group, with n - 1; centred, without the division
    b(i, 0)     mean of the others' rewards
    b(i, t)     (sum of the rewards of the m others that share the tokens before t + SHRINK * b(i, t - 1)) / (m + SHRINK)
                wherever fewer share them than at t - 1, and some do; elsewhere as at t - 1

Ours. The idea of a value for each prefix is that of VinePPO (arXiv 2410.01679), which samples anew from every prefix; nothing is
sampled here, so a value is a mean over few, drawn to that of the shorter prefix. A baseline that depends on what was said
before a token, and on other rollouts, leaves the expected gradient as it is; with no token in common it is GRPO's, but that
a rollout is not compared with itself.

Invariant: a group whose rewards are all equal has advantages of exactly 0.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from engine.training.rewards import SMALLEST_DEVIATION, is_uniform

__all__ = ["SHRINK", "forks", "prefix_advantages"]

SHRINK = 2.0
"""Rollouts that a shorter prefix's value counts for."""


def prefix_advantages(
    said: Sequence[Sequence[int]], totals: Sequence[float], *, is_normalised: bool = True
) -> list[list[float]]:
    """Of each token of `said`, which are the rollouts of one group after their common opening; `totals` are their rewards,
    at least two."""
    if is_uniform(totals):
        return [[0.0] * len(tokens) for tokens in said]
    deviation = statistics.stdev(totals) + SMALLEST_DEVIATION if is_normalised else 1.0
    found = []
    for own, tokens in enumerate(said):
        others = [k for k in range(len(said)) if k != own]
        baseline = math.fsum(totals[k] for k in others) / len(others)
        row = []
        for place, token in enumerate(tokens):
            row.append((totals[own] - baseline) / deviation)
            left = [k for k in others if place < len(said[k]) and said[k][place] == token]
            if left and len(left) < len(others):
                shorter = SHRINK * baseline
                baseline = (math.fsum(totals[k] for k in left) + shorter) / (len(left) + SHRINK)
            others = left
        found.append(row)
    return found


def forks(said: Sequence[Sequence[int]], least: int = 1) -> list[list[bool]]:
    """Of each token of `said`, as above, whether those that had said the same so far part there, and at least `least` of them
    to a branch: by 2, to look or not is a choice that a group tells something of, and the digits of a box are none."""
    found = []
    for tokens in said:
        same = list(range(len(said)))
        row = []
        for place, token in enumerate(tokens):
            there = [k for k in same if place < len(said[k])]
            branches = len({said[k][place] for k in there})
            row.append(branches > 1 and len(there) >= least * branches)
            same = [k for k in there if said[k][place] == token]
        found.append(row)
    return found
