"""The settings of a supervised fine-tuning run; what the paper used stands in `engine.training.sft`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from engine.training.configuration import Checks, TrainingConfig

__all__ = ["MOST_VARIANTS", "SftConfig"]

MOST_VARIANTS = 100


@dataclass(frozen=True, slots=True)
class SftConfig(TrainingConfig):
    """`steps` overrides `passes` over the data. `batch_size` examples an optimiser step. `max_tokens` is the longest
    conversation. Beside each trace as it is, `box_variants` with moved boxes are learned from, one of them a pass
    (`engine.training.moved`). Raises InvalidInput for impossible values."""

    METHOD: ClassVar[str] = "SFT"

    passes: float = 3.0
    steps: int | None = None
    batch_size: int = 4
    dropout: float = 0.0
    box_variants: int = 0
    max_tokens: int = 16_384

    def checks(self) -> Checks:
        return (
            ("passes", self.passes > 0),
            ("steps", self.steps is None or self.steps > 0),
            ("batch_size", self.batch_size > 0),
            ("dropout", 0 <= self.dropout < 1),
            ("box_variants", 0 <= self.box_variants <= MOST_VARIANTS),
            ("max_tokens", self.max_tokens > 0),
        )

    def total_steps(self, examples: int) -> int:
        """Optimiser steps for that many examples."""
        return self.steps or max(1, math.ceil(examples * self.passes / self.batch_size))
