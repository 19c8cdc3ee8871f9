"""What a job must remember to be the same job later: its traces, its backbone, the libraries' versions."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
from typing import Any

from engine.backbone.loading import Backbone
from engine.store import Revision, Store
from engine.training.checkpoints import base_hash
from engine.training.dataset import TrainingExample

__all__ = ["describe", "example_of", "versions"]

_LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets")


def example_of(store: Store, revision: Revision) -> TrainingExample:
    return TrainingExample(revision.trace, store.traces.get(revision.trace_id).options, revision.id)


def describe(backbone: Backbone) -> dict[str, Any]:
    """The backbone as a job depends on it, in plain JSON."""
    return {
        "name": backbone.name,
        "hash": base_hash(backbone),
        "quantization": backbone.quantization,
        "protocol": backbone.protocol_name,
        "pixel_budgets": {role: dataclasses.asdict(budget) for role, budget in backbone.budgets.items()},
    }


def versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in _LIBRARIES}
