"""The settings of a run on preferences; what they do stands in `engine.training.dpo`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from engine.training.configuration import Checks, TrainingConfig

__all__ = ["DpoConfig"]


@dataclass(frozen=True, slots=True)
class DpoConfig(TrainingConfig):
    """`batch_size` pairs an optimiser step; `steps` overrides `passes` over the pairs. `beta` holds the adapter to where it
    began. `max_tokens` is the longest conversation. `start_from` names the adapter that training goes on from, "" a fresh
    one. Raises InvalidInput for impossible values."""

    METHOD: ClassVar[str] = "DPO"

    passes: float = 3.0
    steps: int | None = None
    batch_size: int = 4
    learning_rate: float = 5e-5
    beta: float = 0.1
    max_tokens: int = 16_384
    start_from: str = ""

    def checks(self) -> Checks:
        return (
            ("passes", self.passes > 0),
            ("steps", self.steps is None or self.steps > 0),
            ("batch_size", self.batch_size > 0),
            ("beta", 0 < self.beta <= 10),
            ("max_tokens", self.max_tokens > 0),
        )

    def total_steps(self, examples: int) -> int:
        """Optimiser steps for that many pairs."""
        return self.steps or max(1, math.ceil(examples * self.passes / self.batch_size))
