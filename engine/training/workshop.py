"""What a training job works with, and how it measures: one frozen value, passed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.backbone.loading import Backbone
from engine.policies.base import Policy
from engine.store import Store
from engine.training.dataset import PictureLoader

__all__ = ["Evaluate", "Workshop"]

Evaluate = Callable[[Policy, Callable[[], bool]], Mapping[str, Any]]
"""evaluate(policy, is_cancelled) -> plain JSON with at least "accuracy" (in [0, 1] or None) and "n", on held-out examples;
it takes the lease through the policy, turn by turn. When cancelled it may return what it has."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """`artifacts` is the folder of adapters and checkpoints; `load_pictures` gives the media of a trace
    (`MediaFolder.pictures`); without `evaluate` nothing is measured before and after."""

    store: Store
    backbone: Backbone
    artifacts: Path
    load_pictures: PictureLoader
    evaluate: Evaluate | None = None

    def checkpoint_folder(self, job_id: str) -> Path:
        return self.artifacts / "checkpoints" / job_id
