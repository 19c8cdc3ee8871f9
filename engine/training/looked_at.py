"""Rollouts that are kept to be looked at: of some steps, the best and the worst attempt at one question.

    {"question", "gold", "media": {"sha256", "kind"}, "rapr", "attempts": [
        {"steps": [as in a trace's JSON], "stop_reason", "correctness", "bonus", "penalty", "total", "advantage"}]}

The idea: numbers say whether training goes well, attempts say why. The question is the one whose rollouts differed the most,
since from it most was learned in that step; where none differed, the first. About MOST_STEPS steps of a run are kept,
evenly, the first and the last among them, so that the store does not fill with what nobody reads.

Invariant: what is shown is what was rewarded, word for word. Not covered: tokens and log-probabilities.
"""

from __future__ import annotations

from typing import Any

from engine.trace_json import step_to_json
from engine.training.episodes import Episode, Group

__all__ = ["MOST_STEPS", "attempts_of", "is_kept"]

MOST_STEPS = 20


def is_kept(step: int, total: int) -> bool:
    """Whether attempts of `step` (from 1) of `total` are kept."""
    return (step - 1) % max(1, total // MOST_STEPS) == 0 or step == total


def attempts_of(episode: Episode) -> dict[str, Any]:
    """Plain JSON, as in the module docstring."""
    group, example = max(episode.rolled, key=lambda one: one[0].weight)
    totals = [reward.total for reward in group.rewards]
    best, worst = totals.index(max(totals)), totals.index(min(totals))
    medium = example.media[0]
    return {
        "question": example.question,
        "gold": example.answer,
        "media": {"sha256": medium.sha256, "kind": medium.kind},
        "rapr": sum(one.trace.has_operation for one in group.rollouts) / len(group.rollouts),
        "attempts": [_attempt(group, k) for k in dict.fromkeys((best, worst))],
    }


def _attempt(group: Group, k: int) -> dict[str, Any]:
    trace, reward = group.rollouts[k].trace, group.rewards[k]
    return {
        "steps": [step_to_json(step) for step in trace.steps],
        "stop_reason": trace.stop_reason,
        "correctness": reward.correctness,
        "bonus": reward.bonus,
        "penalty": reward.penalty,
        "total": reward.total,
        "advantage": group.advantages[k],
    }
