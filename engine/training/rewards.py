r"""Rewards of curiosity-driven RL, as pure functions of traces and scores (paper, section 4.2; released code).

    paper           r' = r + alpha * max(H - RaPR, 0) * 1[operates] + beta * min(N - n, 0)
    released-code   r' = r + curiosity - beta * (n - 1) * 1[n > 0],  curiosity = max(H - RaPR, 0) / d / RaPR * 0.25 * 1[n > 0]
                    with d = 2 for pictures and 1.5 for clips, and r = 0 where the last operation failed and was not mended
    credit          r' = r + alpha * w + beta * min(N - n, 0)       (ours: nobody else's formula)

    r      correctness in [0, 1], the verdict of the very scorers that evaluate (engine.evaluation.scoring)
    n      operations that the rollout called, failed ones too
    w      what its looks were worth, in [-1, 1]: how likely the gold answer was after the last look, less how likely before the
           first (`engine.worth`: no judge, the policy weighs it itself), 0 where nothing was looked at. Over the looks of a
           rollout the differences add up to it
    RaPR   share of the group's rollouts that operate
    alpha 0.5, beta 0.05, H 0.3, N 1

"Operates": in the paper's variant an operation was executed with success, as RaPR counts everywhere here
(`Trace.has_operation`), so that nonsense earns no bonus; the released code counts calls, whatever came back
(openrlhf/trainer/ppo_utils/experience_maker.py). Both variants meet at one operation: no penalty.

    advantage, normalised   (r'_i - mean) / (std + 1e-6) over the group, std with n - 1 (GRPO, arXiv 2402.03300)
    advantage, centred      r'_i - mean (released code)
    advantage, by-prefix    token by token (`engine.training.prefixes`); of a whole rollout it is the normalised one
    advantage, centred-by-prefix    the same without a division by std; of a whole rollout it is the centred one

Invariant: a group whose rewards are all equal has advantages of exactly 0, so it carries no signal (`is_uniform`).
Not covered: which rollouts are trained on (`engine.training.replay`).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from engine.evaluation.scoring import score_answer
from engine.thresholds import RAPR_THRESHOLD
from engine.trace import Example, Trace

__all__ = [
    "ADVANTAGES",
    "SMALLEST_DEVIATION",
    "VARIANTS",
    "Advantage",
    "Reward",
    "RewardRule",
    "Variant",
    "advantages",
    "called_operations",
    "centred_advantages",
    "correctness",
    "has_failed_last_operation",
    "is_uniform",
    "normalised_advantages",
    "paper_bonus",
    "paper_penalty",
    "rapr",
    "released_bonus",
    "released_penalty",
    "rewards",
]

Variant = Literal["paper", "released-code", "credit"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
Advantage = Literal["normalised", "centred", "by-prefix", "centred-by-prefix"]
ADVANTAGES: tuple[Advantage, ...] = get_args(Advantage)

SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True, slots=True)
class RewardRule:
    """Which formula, and its constants; `alpha` is the weight of the bonus, be it for curiosity or for what looks were worth.
    Without `is_curious` a reward is the correctness alone (the paper's ablation
    "RL without curiosity"). `threshold` is H, `free_operations` is N."""

    variant: Variant = "paper"
    is_curious: bool = True
    alpha: float = 0.5
    beta: float = 0.05
    threshold: float = RAPR_THRESHOLD
    free_operations: int = 1


@dataclass(frozen=True, slots=True)
class Reward:
    """The parts of one rollout's reward; `total` is what is trained on."""

    correctness: float
    bonus: float
    penalty: float

    @property
    def total(self) -> float:
        return self.correctness + self.bonus + self.penalty


# --- correctness -----------------------------------------------------------------------------------------------------


def correctness(trace: Trace, example: Example) -> float:
    """The score of the trace's answer, in [0, 1], by the scorer that evaluates. Raises ValueError for an example without
    a gold answer, which nothing can be learned from."""
    score = score_answer(trace.answer, example)
    if score is None:
        raise ValueError(f"the example {example.question!r} has no gold answer to reward")
    return score


def has_failed_last_operation(trace: Trace) -> bool:
    """Whether the last turn that called for something came back with an error."""
    last = next((step for step in reversed(trace.steps) if step.observation is not None), None)
    return last is not None and last.observation is not None and last.observation.error is not None


def called_operations(trace: Trace) -> int:
    """How many turns called an operation: executed, refused or unreadable."""
    return sum(1 for step in trace.steps if step.observation is not None)


def rapr(is_operating: Sequence[bool]) -> float:
    """Rate of pixel-space reasoning of a group: the share that operates, in [0, 1]."""
    return sum(map(bool, is_operating)) / len(is_operating)


# --- curiosity -------------------------------------------------------------------------------------------------------


def paper_bonus(rate: float, is_operating: bool, alpha: float = 0.5, threshold: float = RAPR_THRESHOLD) -> float:
    """alpha * max(H - RaPR, 0) where the rollout operates, else 0."""
    return alpha * max(threshold - rate, 0.0) if is_operating else 0.0


def paper_penalty(called: int, beta: float = 0.05, free_operations: int = 1) -> float:
    """beta * min(N - n, 0)."""
    return beta * min(free_operations - called, 0)


def released_bonus(rate: float, is_operating: bool, is_clip: bool, threshold: float = RAPR_THRESHOLD) -> float:
    """max(H - RaPR, 0) / (1.5 for clips, else 2) / RaPR * 0.25 where the rollout operates, else 0."""
    if not is_operating:
        return 0.0
    return max(threshold - rate, 0.0) / (1.5 if is_clip else 2.0) / rate * 0.25


def released_penalty(called: int, beta: float = 0.05) -> float:
    """-beta * (n - 1) where n > 0, else 0."""
    return -beta * (called - 1) if called > 0 else 0.0


def rewards(
    traces: Sequence[Trace], scores: Sequence[float], rule: RewardRule, worths: Sequence[float] = ()
) -> tuple[Reward, ...]:
    """The rewards of one group: all rollouts of one example, with their correctness (`correctness`) and, for the variant
    `credit`, what the looks of each were worth."""
    if not rule.is_curious:
        return tuple(Reward(score, 0.0, 0.0) for score in scores)
    called = [called_operations(trace) for trace in traces]
    if rule.variant == "credit":
        return tuple(
            Reward(score, rule.alpha * worth, paper_penalty(count, rule.beta, rule.free_operations))
            for score, worth, count in zip(scores, worths, called, strict=True)
        )
    if rule.variant == "paper":
        operating = [trace.has_operation for trace in traces]
        rate = rapr(operating)
        return tuple(
            Reward(
                score,
                paper_bonus(rate, operates, rule.alpha, rule.threshold),
                paper_penalty(count, rule.beta, rule.free_operations),
            )
            for score, operates, count in zip(scores, operating, called, strict=True)
        )
    rate = rapr([count > 0 for count in called])
    return tuple(
        Reward(
            0.0 if has_failed_last_operation(trace) else score,
            released_bonus(rate, count > 0, trace.media[0].kind == "video", rule.threshold),
            released_penalty(count, rule.beta),
        )
        for trace, score, count in zip(traces, scores, called, strict=True)
    )


# --- advantages ------------------------------------------------------------------------------------------------------


def is_uniform(totals: Sequence[float]) -> bool:
    """Whether a group carries no signal: all rewards are equal (to 1e-9)."""
    return max(totals) - min(totals) <= 1e-9


def centred_advantages(totals: Sequence[float]) -> tuple[float, ...]:
    """r - mean."""
    if is_uniform(totals):
        return (0.0,) * len(totals)
    mean = math.fsum(totals) / len(totals)
    return tuple(total - mean for total in totals)


def normalised_advantages(totals: Sequence[float]) -> tuple[float, ...]:
    """(r - mean) / standard deviation."""
    if is_uniform(totals):
        return (0.0,) * len(totals)
    deviation = statistics.stdev(totals)
    return tuple(centred / (deviation + SMALLEST_DEVIATION) for centred in centred_advantages(totals))


def advantages(totals: Sequence[float], kind: Advantage) -> tuple[float, ...]:
    """Of whole rollouts."""
    return centred_advantages(totals) if kind.startswith("centred") else normalised_advantages(totals)
