"""One step's data: examples are rolled out, rewarded, and what taught nothing gives way to what did.

The idea: a `Group` is all that is known of one example's rollouts; `Episodes` makes a step's groups, and knows the order
of the examples, the seeds, and the replay buffer. No gradients here.

Invariants: the examples, seeds and replayed groups of step s depend on the configuration and s alone (and on the weights),
so a resumed run goes on as an undisturbed one would; every number that a page shows of a step is in its `Episode`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from engine.backbone.loading import Backbone
from engine.drivers.together import Prompt
from engine.policies.vllm import Generating
from engine.trace import Example, Trace
from engine.trace_json import trace_from_json, trace_to_json
from engine.training.dataset import PictureLoader
from engine.training.grpo_config import LEAST_A_BRANCH, GrpoConfig
from engine.training.prefixes import forks
from engine.training.replay import Kept, ReplayBuffer, batch_of
from engine.training.rewards import Reward, advantages, called_operations, correctness, rewards
from engine.training.rollouts import Rollout, roll_out, taught_at

__all__ = ["Episode", "Episodes", "Group", "RewardGroup", "reward_group"]


@dataclass(slots=True, eq=False)
class Group:
    """The rollouts of one example with their rewards and advantages. `old_log_probs` [completion tokens] of each are what
    the policy that said them gave, where that is known."""

    rollouts: tuple[Rollout, ...]
    rewards: tuple[Reward, ...]
    advantages: tuple[float, ...]
    old_log_probs: tuple[torch.Tensor, ...] | None = None

    @property
    def weight(self) -> float:
        """Mean |advantage|: 0 where all rewards are equal."""
        return sum(map(abs, self.advantages)) / len(self.advantages)


RewardGroup = Callable[[Sequence[Trace], Example], Sequence[Reward]]
"""Rewards of one example's traces; `reward_group` makes the one that a run uses."""


def reward_group(config: GrpoConfig, worth_of: Callable[[Trace, Example], float]) -> RewardGroup:
    """The rewards that the configuration asks for: correctness as evaluation scores it, bonus and penalty. `worth_of` says
    what the looks of a rollout were worth, and is asked where the reward counts it."""
    rule = config.reward_rule
    is_weighing = rule.is_curious and rule.variant == "credit"

    def reward(traces: Sequence[Trace], example: Example) -> Sequence[Reward]:
        scores = [correctness(trace, example) for trace in traces]
        worths = [worth_of(trace, example) for trace in traces] if is_weighing else []
        return rewards(traces, scores, rule, worths)

    return reward


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """A step's batch, `groups`, of which the last ones may be replayed or uniform, and what was seen on the way: `rolled`
    is what was rolled out in this step, with its examples."""

    groups: tuple[Group, ...]
    numbers: Mapping[str, float]
    rolled: tuple[tuple[Group, Example], ...]


@dataclass(slots=True)
class Episodes:
    """`policy` is the backbone as it answers with the adapter in training; `reward` may be another for tests; `server` is
    who says the words of rollouts, None for the policy itself."""

    policy: Backbone
    examples: Sequence[Example]
    config: GrpoConfig
    load_pictures: PictureLoader
    is_cancelled: Callable[[], bool]
    reward: RewardGroup
    server: Generating | None = None
    buffer: ReplayBuffer[Group] = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        self.buffer = ReplayBuffer(config.replay_groups, config.replay_age, config.replay_exponent)

    def examples_of(self, step: int) -> list[int]:
        """Which examples are rolled out in step `step` (from 1): shuffled passes, one after another."""
        config, count = self.config, len(self.examples)
        places = range((step - 1) * config.queries_a_step, step * config.queries_a_step)
        orders = {turn: self._order(turn) for turn in {place // count for place in places}}
        return [orders[place // count][place % count] for place in places]

    def _order(self, turn: int) -> list[int]:
        order = list(range(len(self.examples)))
        random.Random(f"order {self.config.seed} {turn}").shuffle(order)
        return order

    def run(self, step: int) -> Episode:
        """Roll out, reward and choose the batch of step `step` (from 1). Raises RolloutsStopped."""
        started, config = time.time(), self.config
        chosen = [self.examples[index] for index in self.examples_of(step)]
        prompts = [
            Prompt(
                one,
                self.load_pictures(one.media),
                tuple(self._seed(step, query, k) for k in range(config.rollouts)),
            )
            for query, one in enumerate(chosen)
        ]
        rolled = roll_out(
            self.policy,
            prompts,
            config.limits,
            temperature=config.temperature,
            is_cancelled=self.is_cancelled,
            server=self.server,
        )
        fresh = [self._group(rollouts, one) for rollouts, one in zip(rolled, chosen, strict=True)]
        drawing = random.Random(f"replay {config.seed} {step}")
        least = LEAST_A_BRANCH[config.taught]
        learned = fresh if least is None else [_at_forks(group, least) for group in fresh]
        batch, replayed = batch_of(learned, lambda group: group.weight, self.buffer, step, drawing)
        numbers = _numbers(fresh) | {
            "replayed_share": replayed / len(batch),
            "rollout_seconds": time.time() - started,
        }
        return Episode(tuple(batch), numbers, tuple(zip(fresh, chosen, strict=True)))

    def _group(self, rollouts: Sequence[Rollout], example: Example) -> Group:
        found = tuple(self.reward([one.trace for one in rollouts], example))
        return Group(tuple(rollouts), found, advantages([one.total for one in found], self.config.advantage_kind))

    def _seed(self, step: int, query: int, rollout: int) -> int:
        return random.Random(f"rollout {self.config.seed} {step} {query} {rollout}").getrandbits(62)

    # --- the buffer on disk ------------------------------------------------------------------------------------------

    def save(self, path: Path) -> None:
        kept = [{"weight": k.weight, "step": k.step, "group": _packed(k.group)} for k in self.buffer.kept]
        torch.save(kept, path)

    def load(self, path: Path) -> None:
        found = torch.load(path, weights_only=True)
        self.buffer.kept = [Kept(_unpacked(one["group"]), one["weight"], one["step"]) for one in found]


def _at_forks(group: Group, least: int) -> Group:
    """The same with loss at its forks alone (`prefixes.forks`), each rollout cut behind its last. One that has none teaches
    nothing, whatever its rewards are."""
    said = [rollout.ids[rollout.prompt_tokens :].tolist() for rollout in group.rollouts]
    places = forks(said, least)
    rollouts = tuple(map(taught_at, group.rollouts, places))
    advantages = group.advantages if any(map(any, places)) else (0.0,) * len(rollouts)
    return replace(group, rollouts=rollouts, advantages=advantages)


def _numbers(fresh: Sequence[Group]) -> dict[str, float]:
    """Of the rollouts of this step, whatever was trained on then."""
    rollouts = [one for group in fresh for one in group.rollouts]
    found = [one for group in fresh for one in group.rewards]
    count = len(rollouts)
    traces = [one.trace for one in rollouts]
    operating = [trace for trace in traces if called_operations(trace)]
    failed = sum(trace.operation_errors for trace in traces)
    called = sum(map(called_operations, traces))
    return {
        "reward": sum(one.total for one in found) / count,
        "correctness": sum(one.correctness for one in found) / count,
        "bonus": sum(one.bonus for one in found) / count,
        "penalty": sum(one.penalty for one in found) / count,
        "rapr": sum(trace.has_operation for trace in traces) / count,
        "called_share": len(operating) / count,
        "operation_errors": failed / called if called else 0.0,
        "uniform_share": sum(group.weight == 0 for group in fresh) / len(fresh),
        "answered_share": sum(trace.stop_reason == "answered" for trace in traces) / count,
        "turns": sum(len(trace.steps) for trace in traces) / count,
        "said_tokens": sum(one.said_tokens for one in rollouts) / count,
    }


def _packed(group: Group) -> dict[str, Any]:
    return {
        "rollouts": [
            {
                "trace": json.dumps(trace_to_json(one.trace)),
                "prompt_tokens": one.prompt_tokens,
                "ids": one.ids,
                "sampled": one.sampled,
                "log_probs": one.log_probs,
                "shown": one.shown,
            }
            for one in group.rollouts
        ],
        "rewards": [[one.correctness, one.bonus, one.penalty] for one in group.rewards],
        "advantages": list(group.advantages),
        "old_log_probs": None if group.old_log_probs is None else list(group.old_log_probs),
    }


def _unpacked(data: Mapping[str, Any]) -> Group:
    return Group(
        rollouts=tuple(
            Rollout(
                trace=trace_from_json(json.loads(one["trace"]))[0],
                prompt_tokens=one["prompt_tokens"],
                ids=one["ids"],
                sampled=one["sampled"],
                log_probs=one["log_probs"],
                shown=one["shown"],
            )
            for one in data["rollouts"]
        ),
        rewards=tuple(Reward(*parts) for parts in data["rewards"]),
        advantages=tuple(data["advantages"]),
        old_log_probs=None if data["old_log_probs"] is None else tuple(data["old_log_probs"]),
    )
