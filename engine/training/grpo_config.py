"""The settings of a curiosity-driven RL run, with what the paper used beside what suits one machine.

                                paper        here
    queries a step              256          8 (batch = queries_a_step * rollouts)
    rollouts a query            8            8
    learning rate               1e-6, cosine with 3% warm-up, all weights      1e-4, the same schedule, LoRA
    alpha, beta, H, N           0.5, 0.05, 0.3, 1                              the same
    updates for rolled-out data 2 (512 queries an episode, batch 256)          1: on-policy but for replayed groups

Not covered: what they do (`engine.training.grpo`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from engine.reasoning import Limits
from engine.thresholds import RAPR_THRESHOLD
from engine.training.configuration import Checks, TrainingConfig
from engine.training.rewards import ADVANTAGES, VARIANTS, Advantage, RewardRule, Variant

__all__ = ["LEAST_A_BRANCH", "GrpoConfig"]

LEAST_A_BRANCH: Mapping[str, int | None] = {"all": None, "forks": 1, "decisions": 2}
"""Which of the tokens that were said carry loss: all, or those at which rollouts of a group part, so many to a branch at least
(`engine.training.prefixes.forks`)."""

_SERVER = re.compile(r"https?://[^\s/?#@]+(/[^\s?#@]*)?")
"""No user, no password: the configuration stands with the job."""


@dataclass(frozen=True, slots=True)
class GrpoConfig(TrainingConfig):
    """`queries_a_step` examples, `rollouts` of each, one update. `max_turns`, `max_tokens` and `max_turn_tokens` limit a
    rollout. `variant`, `is_curious`, `curiosity` (the paper's alpha), `operation_penalty` (beta), `threshold` (H) and
    `free_operations` (N) are the reward's (engine.training.rewards), `advantage` is one of ADVANTAGES there;
    `taught`, a key of LEAST_A_BRANCH, which tokens carry loss. The adapter is the mean over the last `averaged_share` of the
    steps (engine.training.averaging). Of the adapter the `last_layers` alone learn, all where it is 0.
    `replay_groups`, `replay_age` (in steps) and `replay_exponent` are the replay's (engine.training.replay); 0 groups
    switch it off. `clip` is PPO's. `start_from` names the adapter that training goes on from, "" a fresh one.
    `vllm_server`, as http://HOST:PORT, is the vLLM server that says the words of rollouts (engine.training.vllm_server), "" where
    they are said here. Raises InvalidInput for impossible values."""

    METHOD: ClassVar[str] = "RL"

    steps: int = 50
    queries_a_step: int = 8
    rollouts: int = 8
    micro_batch_size: int = 8
    warmup_share: float = 0.03
    clip: float = 0.2
    temperature: float = 1.0
    max_turns: int = 4
    max_tokens: int = 1024
    max_turn_tokens: int = 512
    variant: str = "paper"
    is_curious: bool = True
    curiosity: float = 0.5
    operation_penalty: float = 0.05
    threshold: float = RAPR_THRESHOLD
    free_operations: int = 1
    advantage: str = "normalised"
    taught: str = "all"
    averaged_share: float = 0.0
    last_layers: int = 0
    replay_groups: int = 32
    replay_age: int = 8
    replay_exponent: float = 1.0
    checkpoint_every: int = 5
    start_from: str = ""
    vllm_server: str = ""

    def checks(self) -> Checks:
        return (
            ("steps", self.steps > 0),
            ("queries_a_step", self.queries_a_step > 0),
            ("rollouts", self.rollouts > 1),
            ("clip", 0 < self.clip < 1),
            ("temperature", 0 < self.temperature <= 10),
            ("max_turns", self.max_turns > 0),
            ("max_tokens", self.max_tokens > 0),
            ("max_turn_tokens", self.max_turn_tokens > 0),
            ("variant", self.variant in VARIANTS),
            ("curiosity", self.curiosity >= 0),
            ("operation_penalty", self.operation_penalty >= 0),
            ("threshold", 0 <= self.threshold <= 1),
            ("free_operations", self.free_operations >= 0),
            ("advantage", self.advantage in ADVANTAGES),
            ("taught", self.taught in LEAST_A_BRANCH),
            ("last_layers", self.last_layers >= 0),
            ("averaged_share", 0 <= self.averaged_share <= 1),
            ("replay_groups", self.replay_groups >= 0),
            ("replay_age", self.replay_age > 0),
            ("replay_exponent", self.replay_exponent >= 0),
            ("vllm_server", not self.vllm_server or bool(_SERVER.fullmatch(self.vllm_server))),
        )

    @property
    def batch_size(self) -> int:
        """Rollouts a step."""
        return self.queries_a_step * self.rollouts

    @property
    def limits(self) -> Limits:
        return Limits(max_steps=self.max_turns, max_tokens=self.max_tokens, max_turn_tokens=self.max_turn_tokens)

    @property
    def reward_rule(self) -> RewardRule:
        variant = cast(Variant, self.variant)
        return RewardRule(
            variant, self.is_curious, self.curiosity, self.operation_penalty, self.threshold, self.free_operations
        )

    @property
    def advantage_kind(self) -> Advantage:
        return cast(Advantage, self.advantage)

    @classmethod
    def within(cls, limits: Limits, data: Mapping[str, Any]) -> GrpoConfig:
        """As `from_json`; where `data` does not limit a rollout, an answer's `limits` do, if they are lower."""
        default = cls()
        limited = {
            "max_turns": min(default.max_turns, limits.max_steps),
            "max_tokens": min(default.max_tokens, limits.max_tokens),
            "max_turn_tokens": min(default.max_turn_tokens, limits.max_turn_tokens, limits.max_tokens),
        }
        return cls.from_json(limited | dict(data))

    def total_steps(self, examples: int) -> int:
        """Optimiser steps; the same however many examples there are."""
        return self.steps
