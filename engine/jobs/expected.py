"""What a training run would take on this machine, as a probe has found it (`engine.jobs.probing`). Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Expected"]


@dataclass(frozen=True, slots=True)
class Expected:
    """`items` are what would be learned from, of which those `too_long` ({"name", "tokens"}) are already left out; `step_s` is
    the wall time of an optimiser step, `measuring_s` that of before and after together, 0 where nothing is held out;
    `memory_bytes` comes on top of what is held now, and `free_bytes` is what could be had."""

    items: int
    too_long: tuple[Mapping[str, Any], ...]
    step_s: float
    measuring_s: float
    memory_bytes: int
    free_bytes: int

    def seconds(self, steps: int) -> float:
        """Of a run of so many optimiser steps."""
        return steps * self.step_s + self.measuring_s

    def as_json(self) -> dict[str, Any]:
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Expected:
        return cls(**{**data, "too_long": tuple(data["too_long"])})
