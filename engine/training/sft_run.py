"""An SFT job's own part: accepted traces, and the loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.training.dataset import TrainingExample
from engine.training.run import Run
from engine.training.sft import SftConfig, SftResult, run_sft
from engine.training.snapshot import example_of

__all__ = ["SftRun"]


@dataclass(slots=True)
class SftRun(Run):
    config: SftConfig = field(default_factory=SftConfig)
    examples: Sequence[TrainingExample] = ()

    def prepare(self) -> None:
        store = self.workshop.store
        self.config = SftConfig.from_json(self.job.config["sft"])
        self.examples = [example_of(store, store.revisions.get(one)) for one in self.job.revision_ids]

    def opening(self) -> str:
        return f"training on {len(self.examples)} traces, {self.config.total_steps(len(self.examples))} steps"

    def learn(self) -> SftResult:
        return run_sft(
            self.workshop.backbone,
            self.examples,
            self.config,
            load_pictures=self.workshop.load_pictures,
            on_metric=self.on_metric,
            should_stop=self.should_stop,
            checkpoint_dir=self.workshop.checkpoint_folder(self.job.id),
            resume=True,
        )

    def metrics(self, numbers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        losses = [one["loss"] for one in numbers]
        return {
            "traces": len(self.examples),
            "first_loss": losses[0] if losses else None,
            "last_loss": losses[-1] if losses else None,
            "seed": self.config.seed,
        }
