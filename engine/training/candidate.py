"""The adapter in training as something that answers: before/after scores, and later rollouts, go through the same policy.

The idea: a backbone is what it is but for the adapter that acts, so the candidate is the same backbone (same weights, same
lease) whose adapters answer with "default" instead of "live".

Invariant: nobody else's answers change; a conversation notices when training went on in between, and starts its cache anew.
"""

from __future__ import annotations

import dataclasses
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from engine.backbone.adapters import Adapters
from engine.backbone.loading import Backbone

__all__ = ["CandidateAdapters", "candidate"]


@dataclass(frozen=True, slots=True)
class CandidateAdapters:
    """What a session asks of `Adapters`, answered for the adapter in training; `live_name` is the name it will have."""

    adapters: Adapters
    live_name: str

    @property
    def version(self) -> int:
        return self.adapters.training_version

    @property
    def is_fixed(self) -> bool:
        """The trainer waits for whoever answers with it."""
        return True

    def answering(self) -> AbstractContextManager[Any]:
        return self.adapters.answering_with_training()


def candidate(backbone: Backbone, name: str) -> Backbone:
    """`backbone` as it answers with the adapter in training, under the same lease."""
    return dataclasses.replace(backbone, adapters=CandidateAdapters(backbone.adapters, name))  # type: ignore[arg-type]
