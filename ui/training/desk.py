"""What the Train screen may ask for, where a model runs that can be trained: one thin object around `engine.training`.

The idea: the screen's handlers stay free of paths, leases and threads; whatever they ask for goes through here, and
what came of it they read from the store.

Invariants: a job measures itself on the held-out examples that its own record names, never on media that it trains on;
this module is imported only once a model is loaded, for it brings torch along.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.evaluation.held_out import HeldOut, measure
from engine.policies.base import Policy
from engine.protocols import protocol_named
from engine.reasoning import Limits
from engine.store import Adapter, Job, Revision
from engine.training import promotion
from engine.training.dataset import TrainingExample, objection
from engine.training.grpo_config import GrpoConfig
from engine.training.jobs import GRPO, KINDS, queue_grpo, queue_sft, resume_job, run_job
from engine.training.sft import SftConfig
from engine.training.snapshot import media_of
from engine.training.worker import Worker
from engine.training.workshop import Workshop

__all__ = ["TrainingDesk", "open_desk"]

_CLOSING_S = 30.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingDesk:
    """Build it with `open_desk`. `unloaded` says why what was promoted before does not answer since the start. Errors for
    people are PersonErrors, as everywhere."""

    workshop: Workshop
    worker: Worker
    limits: Limits
    unloaded: str | None = None

    @property
    def model_name(self) -> str:
        return self.workshop.backbone.name

    @property
    def live_name(self) -> str | None:
        """The adapter that really answers; None is the backbone alone."""
        return self.workshop.backbone.adapters.live_name

    @property
    def problem(self) -> str | None:
        """Why the promoted adapter does not answer, as a sentence; None where it does, or none is promoted."""
        is_missing = self.live_name is None and self.workshop.store.adapters.live() is not None
        return self.unloaded if is_missing else None

    def objections(self, revisions: Sequence[Revision]) -> dict[str, str]:
        """Why a revision cannot be learned from, by its id; those that can are not in it."""
        protocol = protocol_named(self.workshop.backbone.protocol_name)
        found = {revision.id: objection(TrainingExample(revision.trace), protocol) for revision in revisions}
        return {revision_id: reason for revision_id, reason in found.items() if reason is not None}

    def start(self, kind: str, config: Mapping[str, Any], held_out: HeldOut) -> Job:
        """Queues a run ("sft" or "grpo") over everything that is accepted now, and wakes the worker. Raises InvalidInput."""
        measured = held_out.as_json()
        if kind == GRPO:
            job = queue_grpo(self.workshop, GrpoConfig.within(self.limits, config), evaluation=measured)
        else:
            job = queue_sft(self.workshop, SftConfig.from_json(config), evaluation=measured)
        self.worker.wake()
        return job

    def stop(self, job_id: str) -> Job:
        """A running job ends after its current step, a waiting one at once."""
        return self.workshop.store.jobs.request_stop(job_id, "stopping after the current step")

    def resume(self, job_id: str) -> Job:
        """Goes on from the last checkpoint. Raises Conflict where the job is not one that can."""
        job = resume_job(self.workshop, job_id)
        self.worker.wake()
        return job

    def promote(self, adapter_id: str, author: str) -> Adapter:
        """The adapter answers from the next turn on. Raises Unavailable, NotFound."""
        workshop = self.workshop
        return promotion.promote(workshop.store, workshop.backbone, workshop.artifacts, adapter_id, author)

    def demote(self, author: str) -> None:
        promotion.demote(self.workshop.store, self.workshop.backbone, author)

    def discard(self, adapter_id: str) -> Adapter:
        """Deletes the weights; raises Conflict for the one that answers."""
        return promotion.discard(self.workshop.store, self.workshop.artifacts, adapter_id)

    def close(self) -> None:
        """Lets the running step finish; the job goes on at the next start."""
        self.worker.close(_CLOSING_S)


def open_desk(workshop: Workshop, limits: Limits) -> TrainingDesk:
    """Lets what was promoted answer, and starts the worker, which first goes on with what an earlier process left. `limits`
    are those of an answer. Where the promoted adapter cannot be used, the backbone answers alone, and `problem` says why."""
    unloaded = promotion.load_live(workshop.store, workshop.backbone, workshop.artifacts)
    if unloaded is not None:
        log.warning(unloaded)

    def run(job: Job, is_closing: Callable[[], bool]) -> Job:
        return run_job(_measuring(workshop, job, limits), job, is_closing=is_closing)

    worker = Worker(workshop.store, dict.fromkeys(KINDS, run))
    worker.start()
    return TrainingDesk(workshop, worker, limits, unloaded)


def _measuring(workshop: Workshop, job: Job, limits: Limits) -> Workshop:
    """`workshop` with the measurement that the job's record asks for."""
    held_out = HeldOut.from_json(job.config.get("evaluation") or {})
    if held_out.count == 0:
        return dataclasses.replace(workshop, evaluate=None)
    store = workshop.store
    trained_on = media_of(store, workshop.artifacts, job)

    def tell(done: int, count: int) -> None:
        store.jobs.heartbeat(job.id, message=f"measuring on held-out examples: {done} of {count}")

    def evaluate(policy: Policy, is_cancelled: Callable[[], bool]) -> dict[str, Any]:
        return measure(held_out, policy, limits, excluded=trained_on, is_cancelled=is_cancelled, on_progress=tell)

    return dataclasses.replace(workshop, evaluate=evaluate)
