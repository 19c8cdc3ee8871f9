"""The knobs of a run as a person turns them, and the configuration that they come to.

The idea: few knobs with defaults that suit dozens of traces; each wrong value gets one sentence that names the knob,
what stands there, and what may stand there. What is not a knob keeps the default of `engine.training.sft.SftConfig` or
`engine.training.grpo_config.GrpoConfig`; RL goes on from the adapter that answers.

Invariant: the defaults here are those of the engine (tests/ui/test_training_values.py holds them together; importing it
would load torch before the first page).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engine.errors import InvalidInput
from engine.evaluation.held_out import MAX_HELD_OUT, HeldOut

__all__ = [
    "BATCH_SIZE",
    "HELD_OUT",
    "LEARNING_RATE",
    "PASSES",
    "QUERIES",
    "RANK",
    "REWARDS",
    "RL_STEPS",
    "ROLLOUTS",
    "plan_sentence",
    "read_knobs",
    "read_rl",
    "read_run",
    "rl_sentence",
    "total_steps",
]

PASSES = 3.0
LEARNING_RATE = 1e-4
RANK = 16
BATCH_SIZE = 4
HELD_OUT = 16
RL_STEPS, QUERIES, ROLLOUTS = 50, 8, 8
REWARDS: dict[str, dict[str, Any]] = {
    "paper": {"variant": "paper", "advantage": "normalised"},
    "released-code": {"variant": "released-code", "advantage": "centred"},
    "plain": {"is_curious": False},
}
"""What the reward may be, and what that is in the configuration."""

_MAX_PASSES = 1_000
_MAX_STEPS = 1_000_000
_MAX_RANK = 1_024


def read_run(
    passes: Any, steps: Any, learning_rate: Any, rank: Any, benchmark: Any, count: Any
) -> tuple[dict[str, Any], HeldOut]:
    """The configuration that the knobs ask for, as JSON for SftConfig, and what is measured before and after; where
    `steps` is 0 or None, `passes` counts.

    Raises InvalidInput with a sentence for the first knob that cannot be used.
    """
    config: dict[str, Any] = {}
    if not steps:
        config["passes"] = _number("Passes", passes, "a number above 0, such as 3", _MAX_PASSES)
    else:
        config["steps"] = _whole("Steps", steps, f"a whole number up to {_MAX_STEPS:,}", 1, _MAX_STEPS)
    config["learning_rate"] = _number("The learning rate", learning_rate, "between 0 and 1, such as 0.0001", 1)
    config["rank"] = _whole("The rank", rank, f"a whole number from 1 to {_MAX_RANK:,}, such as 16", 1, _MAX_RANK)
    allowed = f"a whole number from 0 to {MAX_HELD_OUT}, such as {HELD_OUT}"
    return config, HeldOut(str(benchmark), _whole("Held-out examples", count, allowed, 0, MAX_HELD_OUT))


def read_rl(
    steps: Any, queries: Any, rollouts: Any, learning_rate: Any, rank: Any, reward: Any, benchmark: Any, count: Any
) -> tuple[dict[str, Any], HeldOut]:
    """As `read_run`, for GrpoConfig."""
    if reward not in REWARDS:
        raise InvalidInput(f"The reward must be one of {', '.join(REWARDS)}, not {_seen(reward)}.")
    config: dict[str, Any] = {"start_from": "live", **REWARDS[reward]}
    config["steps"] = _whole("Steps", steps, f"a whole number from 1 to {_MAX_STEPS:,}", 1, _MAX_STEPS)
    config["queries_a_step"] = _whole("Questions a step", queries, "a whole number from 1 to 256, such as 8", 1, 256)
    config["rollouts"] = _whole("Rollouts", rollouts, "a whole number from 2 to 64, such as 8", 2, 64)
    config["micro_batch_size"] = config["rollouts"]
    config["learning_rate"] = _number("The learning rate", learning_rate, "between 0 and 1, such as 0.0001", 1)
    config["rank"] = _whole("The rank", rank, f"a whole number from 1 to {_MAX_RANK:,}, such as 16", 1, _MAX_RANK)
    allowed = f"a whole number from 0 to {MAX_HELD_OUT}, such as {HELD_OUT}"
    return config, HeldOut(str(benchmark), _whole("Held-out examples", count, allowed, 0, MAX_HELD_OUT))


def read_knobs(
    kind: Any,
    passes: Any,
    steps: Any,
    learning_rate: Any,
    rank: Any,
    benchmark: Any,
    count: Any,
    rl_steps: Any,
    queries: Any,
    rollouts: Any,
    reward: Any,
) -> tuple[str, dict[str, Any], HeldOut]:
    """(kind, configuration, what is measured) of all knobs of the screen, in their order. Raises InvalidInput."""
    if kind == "grpo":
        return "grpo", *read_rl(rl_steps, queries, rollouts, learning_rate, rank, reward, benchmark, count)
    return "sft", *read_run(passes, steps, learning_rate, rank, benchmark, count)


def total_steps(examples: int, config: Mapping[str, Any]) -> int:
    """Optimiser steps of a run over that many examples (SftConfig.total_steps; held together by the same test)."""
    if config.get("steps"):
        return int(config["steps"])
    return max(1, math.ceil(examples * config.get("passes", PASSES) / config.get("batch_size", BATCH_SIZE)))


def plan_sentence(examples: int, config: Mapping[str, Any]) -> str:
    """What Start would do, for a person."""
    steps = total_steps(examples, config)
    traces = f"{examples:,} trace{'s' if examples != 1 else ''}"
    pace = f"{BATCH_SIZE} trace{'s' if BATCH_SIZE != 1 else ''} a step"
    if "steps" in config:
        passes = steps * BATCH_SIZE / examples
        return f"{steps:,} step{'s' if steps != 1 else ''} over {traces}, {pace}: {passes:.3g} passes."
    return f"{config['passes']:g} passes over {traces}, {pace}: {steps:,} step{'s' if steps != 1 else ''}."


def rl_sentence(examples: int, config: Mapping[str, Any]) -> str:
    """What Start would do, for a person."""
    steps, queries, rollouts = config["steps"], config["queries_a_step"], config["rollouts"]
    asked = f"{examples:,} question{'s' if examples != 1 else ''}"
    return (
        f"{steps:,} step{'s' if steps != 1 else ''} over {asked}, {queries} a step with {rollouts} rollouts each: "
        f"{steps * queries * rollouts:,} rollouts, from the adapter that answers now."
    )


def _number(knob: str, value: Any, allowed: str, below: float) -> float:
    if not _is_number(value) or not 0 < value < below:
        raise InvalidInput(f"{knob} must be {allowed}, not {_seen(value)}.")
    return float(value)


def _whole(knob: str, value: Any, allowed: str, least: int, most: int) -> int:
    if not _is_number(value) or not least <= value <= most or value != int(value):
        raise InvalidInput(f"{knob} must be {allowed}, not {_seen(value)}.")
    return int(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _seen(value: Any) -> str:
    return "empty" if value is None else f"{value:g}" if _is_number(value) else repr(value)[:40]
