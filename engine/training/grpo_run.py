"""An RL job's own part: questions with known answers, the adapter it starts from, and the alarm of the learning trap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import Unavailable
from engine.training.episodes import Episode, RlExample
from engine.training.grpo import GrpoResult, run_grpo
from engine.training.grpo_config import GrpoConfig
from engine.training.looked_at import attempts_of, is_kept
from engine.training.promotion import unusable
from engine.training.run import Run
from engine.training.snapshot import rl_examples_of
from engine.training.trap import is_trapped

__all__ = ["GrpoRun"]


@dataclass(slots=True)
class GrpoRun(Run):
    config: GrpoConfig = field(default_factory=GrpoConfig)
    examples: Sequence[RlExample] = ()
    start_from: Path | None = None
    rates: dict[int, float] = field(default_factory=dict)
    is_alarmed: bool = False

    def prepare(self) -> None:
        workshop = self.workshop
        self.config = GrpoConfig.from_json(self.job.config["grpo"])
        self.examples = rl_examples_of(workshop.store, workshop.artifacts, self.job)
        if self.config.start_from:
            adapter = workshop.store.adapters.get(self.config.start_from)
            if problem := unusable(adapter, workshop.backbone, workshop.artifacts):
                raise Unavailable(f"RL cannot start from it: {problem}")
            self.start_from = workshop.artifacts / adapter.path
        # A resumed run goes on watching what it has seen.
        for event in workshop.store.jobs.events(self.job.id, kind="metric", limit=1_000_000):
            if event.step is not None:
                self.rates[event.step] = event.data["rapr"]

    def opening(self) -> str:
        config = self.config
        reward = f"reward of the variant {config.variant!r}" if config.is_curious else "reward without curiosity"
        return (
            f"rolling out {len(self.examples)} questions, {config.steps} steps of {config.queries_a_step} x "
            f"{config.rollouts} rollouts; {reward}, advantages {config.advantage}"
        )

    def learn(self) -> GrpoResult:
        return run_grpo(
            self.workshop.backbone,
            self.examples,
            self.config,
            load_pictures=self.workshop.load_pictures,
            on_metric=self.on_metric,
            should_stop=self.should_stop_soon,
            checkpoint_dir=self.workshop.checkpoint_folder(self.job.id),
            resume=True,
            start_from=self.start_from,
            on_episode=self.on_episode,
        )

    def on_episode(self, step: int, episode: Episode) -> None:
        if is_kept(step, self.config.steps):
            self.say(step, "rollouts", attempts_of(episode))

    def on_metric(self, step: int, total: int, numbers: Mapping[str, float]) -> None:
        Run.on_metric(self, step, total, numbers)
        self.rates[step] = numbers["rapr"]
        rates = [self.rates[one] for one in sorted(self.rates) if one <= step]
        was_alarmed, self.is_alarmed = self.is_alarmed, is_trapped(rates, self.config.threshold)
        if self.is_alarmed and not was_alarmed:
            text = (
                f"the learning trap: operations are being given up, RaPR fell to {numbers['rapr']:.2f}. Stop, and go on "
                "from a warm start that operates with success, or with a larger curiosity"
            )
            self.say(step, "alarm", {"text": text, "rapr": numbers["rapr"]})
        elif was_alarmed and not self.is_alarmed:
            self.say(step, "log", {"text": "operations are used again; the alarm is over"})

    def metrics(self, numbers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        ends = {"first": numbers[0], "last": numbers[-1]} if numbers else {}
        found = {f"{when}_{name}": one[name] for when, one in ends.items() for name in ("reward", "rapr")}
        return found | {
            "examples": len(self.examples),
            "variant": self.config.variant if self.config.is_curious else "without curiosity",
            "advantage": self.config.advantage,
            "seed": self.config.seed,
        }
