"""Training jobs as tests queue and run them: by the kind of their configuration, on one workshop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.jobs.kinds import Kind
from engine.jobs.running import queue_job, run_in_foreground, run_job
from engine.store import Job
from engine.training.dpo_config import DpoConfig
from engine.training.sft_config import SftConfig

if TYPE_CHECKING:
    from engine.jobs.workshop import Workshop

__all__ = ["queue", "run", "train"]


def kind_of(workshop: Workshop, config) -> Kind:
    from engine.jobs.dpo import DpoKind
    from engine.jobs.grpo import GrpoKind
    from engine.jobs.sft import SftKind

    kinds = {SftConfig: SftKind, DpoConfig: DpoKind}
    return kinds.get(type(config), GrpoKind)(workshop)


def queue(workshop: Workshop, config, **asked) -> Job:
    kind = kind_of(workshop, config)
    return queue_job(workshop.store, kind, kind.plan(config, **asked))


def run(workshop: Workshop, job: Job, **options) -> Job:
    from ui.training.desk import training_kinds

    claimed = workshop.store.jobs.claim(job.id)
    return run_job(workshop.store, workshop.artifacts, training_kinds(workshop), claimed, **options)


def train(workshop: Workshop, config, *, on_event=None, **asked) -> Job:
    """Queued and run, in the foreground."""
    kind = kind_of(workshop, config)
    return run_in_foreground(workshop.store, workshop.artifacts, kind, kind.plan(config, **asked), on_event=on_event)
