"""Before and after a training job: the held-out examples that its record names, never on media that it learns from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.evaluation.held_out import HeldOut, measure
from engine.jobs.workshop import Evaluate, Measuring
from engine.policies.base import Policy
from engine.reasoning import Limits
from engine.store import Job, Store
from engine.training.snapshot import media_of

__all__ = ["held_out_measuring"]


def held_out_measuring(store: Store, artifacts: Path, limits: Limits) -> Measuring:
    """Measures what stands under "evaluation" in a job's configuration; `limits` are those of an answer."""

    def measuring(job: Job) -> Evaluate | None:
        held_out = HeldOut.from_json(job.config.get("evaluation") or {})
        if held_out.count == 0:
            return None
        learned_from = media_of(store, artifacts, job)

        def tell(done: int, count: int) -> None:
            store.jobs.heartbeat(job.id, message=f"measuring on held-out examples: {done} of {count}")

        def evaluate(policy: Policy, is_cancelled: Callable[[], bool]) -> dict[str, Any]:
            return measure(held_out, policy, limits, excluded=learned_from, is_cancelled=is_cancelled, on_progress=tell)

        return evaluate

    return measuring
