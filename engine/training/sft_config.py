"""The settings of a supervised fine-tuning run; what differs from the paper's is said in `engine.training.sft`.

Invariant: impossible values are refused where the settings are made. Not covered: what they do (`engine.training.sft`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInput
from engine.training.configuration import config_from_json

__all__ = ["SftConfig"]


@dataclass(frozen=True, slots=True)
class SftConfig:
    """`steps` overrides `passes` over the data. `batch_size` examples an optimiser step, forwarded `micro_batch_size` at
    a time. `max_tokens` is the longest conversation. Raises InvalidInput for impossible values."""

    passes: float = 3.0
    steps: int | None = None
    batch_size: int = 4
    micro_batch_size: int = 1
    learning_rate: float = 1e-4
    warmup_share: float = 0.1
    weight_decay: float = 0.0
    max_gradient_norm: float = 1.0
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    seed: int = 0
    checkpoint_every: int = 10
    max_tokens: int = 16_384
    is_checkpointing_gradients: bool = False

    def __post_init__(self) -> None:
        wrong = [
            f"{name} is {getattr(self, name)!r}"
            for name, is_right in (
                ("passes", self.passes > 0),
                ("steps", self.steps is None or self.steps > 0),
                ("batch_size", self.batch_size > 0),
                ("micro_batch_size", 0 < self.micro_batch_size <= self.batch_size),
                ("learning_rate", 0 < self.learning_rate < 1),
                ("warmup_share", 0 <= self.warmup_share < 1),
                ("weight_decay", 0 <= self.weight_decay < 1),
                ("max_gradient_norm", self.max_gradient_norm > 0),
                ("rank", 0 < self.rank <= 1024),
                ("alpha", self.alpha > 0),
                ("dropout", 0 <= self.dropout < 1),
                ("seed", 0 <= self.seed < 2**32),
                ("checkpoint_every", self.checkpoint_every > 0),
                ("max_tokens", self.max_tokens > 0),
            )
            if not is_right
        ]
        if wrong or self.batch_size % self.micro_batch_size:
            raise InvalidInput(
                "SFT cannot run like this: " + "; ".join(wrong or ["batch_size must be a multiple of micro_batch_size"])
            )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SftConfig:
        """From plain JSON, as recorded with a job. Raises InvalidInput for unknown names and wrong types."""
        return config_from_json(cls, data, "SFT")

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    def total_steps(self, examples: int) -> int:
        """Optimiser steps for that many examples."""
        return self.steps or max(1, math.ceil(examples * self.passes / self.batch_size))
