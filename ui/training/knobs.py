"""The knobs of a run as a person turns them, and the configuration that they come to.

The idea: few knobs with defaults that suit dozens of traces; each wrong value gets one sentence that names the knob,
what stands there, and what may stand there. What is not a knob keeps its default; RL goes on from the adapter that answers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engine.errors import InvalidInput
from engine.evaluation.held_out import MAX_HELD_OUT, NOTHING, SHARE, HeldOut
from engine.training.dpo_config import DpoConfig
from engine.training.grpo_config import GrpoConfig
from engine.training.rewards import ADVANTAGES
from engine.training.sft_config import MOST_VARIANTS, SftConfig
from ui.training.held_out import FILE
from ui.words import counted

__all__ = [
    "ADVANTAGE_OF",
    "DPO",
    "HELD_OUT",
    "REWARDS",
    "RL",
    "SFT",
    "advantage_of",
    "dpo_sentence",
    "plan_sentence",
    "read_held_out",
    "read_knobs",
    "read_rl",
    "read_run",
    "rl_sentence",
    "total_steps",
]

SFT, DPO, RL, HELD_OUT = SftConfig(), DpoConfig(), GrpoConfig(), HeldOut()
"""Where the knobs begin."""
REWARDS: dict[str, dict[str, Any]] = {
    "paper": {"variant": "paper"},
    "released-code": {"variant": "released-code"},
    "credit": {"variant": "credit"},
    "plain": {"is_curious": False},
}
"""What the reward may be, and what that is in the configuration."""

ADVANTAGE_OF = {"released-code": "centred"}
"""The advantages that a reward comes with, where they are not the paper's."""

_MAX_PASSES = 1_000
_MAX_STEPS = 1_000_000
_MAX_RANK = 1_024


def read_run(passes: Any, steps: Any, learning_rate: Any, rank: Any) -> dict[str, Any]:
    """The configuration that the knobs ask for, as JSON for SftConfig; where `steps` is 0 or None, `passes` counts.

    Raises InvalidInput with a sentence for the first knob that cannot be used.
    """
    if not steps:
        length = {"passes": _number("Passes", passes, "a number above 0, such as 3", _MAX_PASSES)}
    else:
        length = {"steps": _whole("Steps", steps, f"a whole number up to {_MAX_STEPS:,}", 1, _MAX_STEPS)}
    return length | _adapter(learning_rate, rank)


def read_rl(
    steps: Any, queries: Any, rollouts: Any, learning_rate: Any, rank: Any, reward: Any, advantage: Any = None
) -> dict[str, Any]:
    """As `read_run`, for GrpoConfig; without an `advantage` those that the reward comes with."""
    if reward not in REWARDS:
        raise InvalidInput(f"The reward must be one of {', '.join(REWARDS)}, not {_seen(reward)}.")
    advantage = advantage or advantage_of(reward)
    if advantage not in ADVANTAGES:
        raise InvalidInput(f"The advantages must be one of {', '.join(ADVANTAGES)}, not {_seen(advantage)}.")
    config: dict[str, Any] = {"start_from": "live", **REWARDS[reward], "advantage": advantage}
    config["steps"] = _whole("Steps", steps, f"a whole number from 1 to {_MAX_STEPS:,}", 1, _MAX_STEPS)
    config["queries_a_step"] = _whole("Questions a step", queries, "a whole number from 1 to 256, such as 8", 1, 256)
    config["rollouts"] = _whole("Rollouts", rollouts, "a whole number from 2 to 64, such as 8", 2, 64)
    config["micro_batch_size"] = config["rollouts"]
    return config | _adapter(learning_rate, rank)


def advantage_of(reward: Any) -> str:
    """The advantages that a reward comes with."""
    return ADVANTAGE_OF.get(str(reward), RL.advantage)


def read_held_out(name: Any, percent: Any, count: Any, file: Any = None) -> HeldOut | None:
    """What is measured before and after; None for nothing. `percent` counts for a share alone, and `file` where an examples
    file is chosen. Raises InvalidInput."""
    if name in (None, NOTHING):
        return None
    allowed = f"a whole number from 1 to {MAX_HELD_OUT:,}, such as {HELD_OUT.count}"
    most = _whole("The number of held-out examples", count, allowed, 1, MAX_HELD_OUT)
    if name == FILE:
        if not (path := str(file or "").strip()):
            raise InvalidInput("Say where the examples file lies, such as /data/EXAMPLES.jsonl.")
        return HeldOut(path, count=most)
    if name != SHARE:
        return HeldOut(str(name), count=most)
    return HeldOut(SHARE, _whole("The held-out share", percent, "from 1 to 90 percent, such as 20", 1, 90) / 100, most)


def read_knobs(
    kind: Any,
    passes: Any,
    steps: Any,
    learning_rate: Any,
    rank: Any,
    held_out: Any,
    percent: Any,
    count: Any,
    rl_steps: Any,
    queries: Any,
    rollouts: Any,
    reward: Any,
    advantage: Any = None,
    file: Any = None,
    variants: Any = 0,
) -> tuple[str, dict[str, Any], HeldOut | None]:
    """(kind, configuration, what is measured) of all knobs of the screen, in their order. Raises InvalidInput."""
    measured = read_held_out(held_out, percent, count, file)
    if kind == "dpo":
        return "dpo", {"start_from": "live"} | read_run(passes, steps, learning_rate, rank), measured
    if kind == "grpo":
        return "grpo", read_rl(rl_steps, queries, rollouts, learning_rate, rank, reward, advantage), measured
    run = read_run(passes, steps, learning_rate, rank)
    if variants:
        allowed = f"a whole number from 0 to {MOST_VARIANTS}, such as 3"
        run["box_variants"] = _whole("The number of variants", variants, allowed, 0, MOST_VARIANTS)
    return "sft", run, measured


def total_steps(examples: int, config: Mapping[str, Any]) -> int:
    """Optimiser steps of a run over that many examples, by the configuration that a job has recorded."""
    if config.get("steps"):
        return int(config["steps"])
    return max(1, math.ceil(examples * config.get("passes", SFT.passes) / config.get("batch_size", SFT.batch_size)))


def plan_sentence(examples: int, config: Mapping[str, Any]) -> str:
    """What Start would do, for a person."""
    steps = total_steps(examples, config)
    traces, pace = counted(examples, "trace"), f"{counted(SFT.batch_size, 'trace')} a step"
    if "steps" in config:
        passes = steps * SFT.batch_size / examples
        return f"{counted(steps, 'step')} over {traces}, {pace}: {passes:.3g} passes."
    passes = config["passes"]
    return f"{passes:g} {'pass' if passes == 1 else 'passes'} over {traces}, {pace}: {counted(steps, 'step')}."


def dpo_sentence(pairs: int, config: Mapping[str, Any]) -> str:
    """What Start would do, for a person."""
    steps, over = counted(total_steps(pairs, config), "step"), counted(pairs, "preference")
    return f"{steps} over {over}, {DPO.batch_size} a step, from the adapter that answers now."


def rl_sentence(examples: int, config: Mapping[str, Any]) -> str:
    """What Start would do, for a person."""
    steps, queries, rollouts = config["steps"], config["queries_a_step"], config["rollouts"]
    return (
        f"{counted(steps, 'step')} over {counted(examples, 'question')}, {queries} a step with {rollouts} rollouts each: "
        f"{steps * queries * rollouts:,} rollouts, from the adapter that answers now."
    )


def _adapter(learning_rate: Any, rank: Any) -> dict[str, Any]:
    return {
        "learning_rate": _number("The learning rate", learning_rate, "between 0 and 1, such as 0.0001", 1),
        "rank": _whole("The rank", rank, f"a whole number from 1 to {_MAX_RANK:,}, such as 16", 1, _MAX_RANK),
    }


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
