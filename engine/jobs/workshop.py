"""What a job that trains an adapter works with, and how it measures: one frozen value, passed on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from engine.backbone.loading import Backbone
from engine.policies.base import Policy
from engine.store import Job, Store
from engine.training.dataset import PictureLoader

__all__ = ["Evaluate", "Measuring", "When", "Workshop"]

When = Literal["before", "after"]

Evaluate = Callable[[When, Policy, Callable[[], bool]], Mapping[str, Any]]
"""evaluate(when, policy, is_cancelled) -> plain JSON with at least "accuracy" (in [0, 1] or None) and "n", on held-out
examples; it takes the lease through the policy, turn by turn. When cancelled it may return what it has."""

Measuring = Callable[[Job], Evaluate | None]
"""How a job is measured before and after, as its record asks for it; None where it is not."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """`artifacts` is the folder of adapters and checkpoints; `load_pictures` gives the media of a trace
    (`MediaFolder.pictures`); without `measuring` nothing is measured before and after."""

    store: Store
    backbone: Backbone
    artifacts: Path
    load_pictures: PictureLoader
    measuring: Measuring = lambda job: None
