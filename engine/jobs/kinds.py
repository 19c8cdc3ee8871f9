"""What a kind of job is.

    plan(...)     what a person asks for -> Plan: everything that the job must remember to be the same job later
    prepare(job)  its record -> Work: reads the snapshot, and raises what makes the job impossible
    run(report)   does it, from the last checkpoint where there is one, and says how it ended

The idea: a kind is a frozen value that holds the services it needs and nothing of any job, so a table of kinds, name ->
kind, is all that a worker has to be given. Queueing, claiming, states, progress, events, stopping, errors and the folder
of checkpoints are written once, in `engine.jobs.running`, for all of them.

This module needs no torch, so that screens can name jobs whose kind cannot be run here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from engine.store import Job

if TYPE_CHECKING:
    from engine.jobs.report import Report

__all__ = [
    "COLLECT",
    "DPO",
    "EVALUATE",
    "EXPORT",
    "GRPO",
    "IMPORT",
    "MERGE",
    "PROBE",
    "PUSH",
    "PUSH_ADAPTER",
    "SFT",
    "TITLES",
    "TRAINING",
    "CutOff",
    "Done",
    "Ending",
    "Kind",
    "Plan",
    "Stopped",
    "Work",
]

SFT, DPO, GRPO = "sft", "dpo", "grpo"
EXPORT, IMPORT, COLLECT, EVALUATE, PUSH, PROBE = "export", "import", "collect", "evaluate", "push", "probe"
MERGE, PUSH_ADAPTER = "merge", "push-adapter"
TRAINING = (SFT, DPO, GRPO)
"""The kinds that train an adapter."""
TITLES: Mapping[str, str] = {
    SFT: "Supervised fine-tuning",
    DPO: "Preferences (DPO)",
    GRPO: "Curiosity-driven RL",
    EXPORT: "Export",
    IMPORT: "Import",
    COLLECT: "Collecting attempts",
    EVALUATE: "Evaluation",
    PUSH: "Push to the Hub",
    PROBE: "What a run will take",
    MERGE: "Merge an adapter",
    PUSH_ADAPTER: "Push an adapter to the Hub",
}
"""Every kind that the studio has, by the name that is written with a job, as people call it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A job before it is queued: plain JSON, and the revisions that it depends on, in order."""

    config: Mapping[str, Any]
    seeds: Any = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    revision_ids: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """It came to its end; its checkpoints are deleted."""

    message: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A person stopped it; what it has is kept, and it can go on."""

    message: str


@dataclass(frozen=True, slots=True)
class CutOff:
    """It ended early because it was asked to: by a person, and then it is stopped, or because the studio closes, and then
    it goes on at the next start. `where` completes "stopped ...", such as "after 3 of 7 traces"."""

    where: str


Ending = Done | Stopped | CutOff


class Work(Protocol):
    """One job, read from its record and ready to run."""

    def run(self, report: Report) -> Ending: ...


class Kind(Protocol):
    """`name` is written with a job, `title` is for people. `plan` takes what its kind needs to be told."""

    @property
    def name(self) -> str: ...

    @property
    def title(self) -> str: ...

    @property
    def plan(self) -> Callable[..., Plan]: ...

    def prepare(self, job: Job) -> Work:
        """Raises PersonError for what makes the job impossible."""
