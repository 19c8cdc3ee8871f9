"""The settings that every run shares, and how they are read: unknown names, wrong kinds and impossible values are refused by
name, where the settings are made.

Not covered: what they do (`engine.training.arguments`), what SFT and RL add (`.sft_config`, `.grpo_config`).
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from engine.errors import InvalidInput

__all__ = ["Checks", "TrainingConfig"]

Checks = tuple[tuple[str, bool], ...]
"""(name of a setting, whether its value is possible)."""


@dataclass(frozen=True, slots=True)
class TrainingConfig(ABC):
    """An optimiser step and its adapter. `micro_batch_size` rows go through the network at a time (None: as many
    as suits it, `engine.training.arguments`); `rank` and `alpha` are the
    adapter's. Each field of a subclass has a default of its kind (None: a whole number or nothing)."""

    METHOD: ClassVar[str]
    """Names the run in messages, such as "SFT"."""

    micro_batch_size: int | None = None
    learning_rate: float = 1e-4
    warmup_share: float = 0.1
    weight_decay: float = 0.0
    max_gradient_norm: float = 1.0
    rank: int = 16
    alpha: int = 32
    seed: int = 0
    checkpoint_every: int = 10
    is_checkpointing_gradients: bool = False

    @property
    @abstractmethod
    def batch_size(self) -> int:
        """Rows of an optimiser step."""

    @abstractmethod
    def checks(self) -> Checks:
        """Of what a subclass adds."""

    def __post_init__(self) -> None:
        shared: Checks = (
            ("micro_batch_size", self.micro_batch_size is None or self.micro_batch_size > 0),
            ("learning_rate", 0 < self.learning_rate < 1),
            ("warmup_share", 0 <= self.warmup_share < 1),
            ("weight_decay", 0 <= self.weight_decay < 1),
            ("max_gradient_norm", self.max_gradient_norm > 0),
            ("rank", 0 < self.rank <= 1024),
            ("alpha", self.alpha > 0),
            ("seed", 0 <= self.seed < 2**32),
            ("checkpoint_every", self.checkpoint_every > 0),
        )
        wrong = [f"{name} is {getattr(self, name)!r}" for name, is_right in (*self.checks(), *shared) if not is_right]
        if not wrong and self.batch_size % (self.micro_batch_size or 1):
            wrong = [
                f"a step of {self.batch_size} is no multiple of micro_batch_size, which is {self.micro_batch_size}"
            ]
        if wrong:
            raise InvalidInput(f"{self.METHOD} cannot run like this: " + "; ".join(wrong))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """From plain JSON, as recorded with a job. Raises InvalidInput for unknown names and wrong types."""
        fields = {field.name: field for field in dataclasses.fields(cls)}
        if unknown := sorted(set(data) - set(fields)):
            raise InvalidInput(f"{cls.METHOD} has no setting {unknown[0]!r}; there are: {', '.join(fields)}")
        for name, value in data.items():
            default = fields[name].default
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
            is_right = {
                bool: isinstance(value, bool),
                str: isinstance(value, str),
                float: is_number,
                int: is_number and value == int(value),
            }.get(type(default), value is None or (is_number and value == int(value)))
            if not is_right:
                raise InvalidInput(
                    f"the {cls.METHOD} setting {name}={value!r} is of the wrong kind; the default is {default!r}"
                )
        return cls(**data)

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)
