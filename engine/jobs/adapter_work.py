"""The way of every job that trains an adapter on the backbone: measure before, learn, measure after, save and record.

The idea: SFT and RL differ in what they learn from and what they say of each step; the way around that is one. What is
said on the way are events:

    evaluation  {"when": "before" | "after", "policy": who answered, "seconds", ...what evaluate returned}
    log         {"text"}
    metric      step; the numbers of `engine.training.sft.OnMetric` or `engine.training.grpo.OnMetric`, and left_s,
                estimated seconds to the end of the job
    adapter     {"id", "name", "steps"}
    alarm       {"text", "rapr"}: RL only, the learning trap
    rollouts    step; RL only, of some steps: two attempts at one question (`engine.training.looked_at`)
    note        {"text"}: once, what a person should know of the run
    error       {"text", "traceback" where it is ours}

After a kill a run goes on from its last whole checkpoint, so steps after it are there twice: the later row counts.

Invariant: however it ends, no adapter is left in training and the lease is free. Not covered: states and errors
(`engine.jobs.running`).
"""

from __future__ import annotations

import dataclasses
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from engine.errors import Unavailable
from engine.jobs.adapter_answering import AdapterAnswering
from engine.jobs.answering import LIVE
from engine.jobs.kinds import CutOff, Done, Ending, Kind, Stopped
from engine.jobs.measuring import measured
from engine.jobs.promotion import record_training_adapter, unusable
from engine.jobs.report import Report, Unheard, duration
from engine.jobs.running import checkpoint_folder
from engine.jobs.workshop import Evaluate, When, Workshop
from engine.policies.base import Policy
from engine.policies.local import LocalPolicy
from engine.store import Adapter, Job, Store
from engine.training.candidate import candidate
from engine.training.dpo_config import DpoConfig
from engine.training.fitting import TooLong
from engine.training.grpo_config import GrpoConfig
from engine.training.processes import agreed
from engine.training.snapshot import describe

if TYPE_CHECKING:
    from engine.training.on_backbone import Trained

__all__ = ["AdapterWork", "OnStep", "follow", "parent_folder", "require_same_backbone", "with_parent"]

StartingConfig = TypeVar("StartingConfig", DpoConfig, GrpoConfig)

OnStep = Callable[[Report, int, int, Mapping[str, float]], None]
"""on_step(report, step, of how many, numbers)."""

_STEPS_TO_AVERAGE = 20


def require_same_backbone(workshop: Workshop, job: Job) -> None:
    """Raises Unavailable where the job was queued for other weights, or the same in another way."""
    queued, here = job.config["backbone"], describe(workshop.backbone)
    if queued != here:
        different = sorted(key for key in here if queued.get(key) != here[key])
        raise Unavailable(
            f"this job was queued for {queued.get('name')} and cannot run on {here['name']} "
            f"(different: {', '.join(different)}); start a new job"
        )


def with_parent(workshop: Workshop, config: StartingConfig) -> StartingConfig:
    """The configuration with `start_from="live"` made the id of the adapter that answers now, "" where none does. Raises
    NotFound for an unknown adapter."""
    if config.start_from == LIVE:
        live = workshop.store.adapters.live()
        is_answering = live is not None and workshop.backbone.adapters.live_name == live.name
        return dataclasses.replace(config, start_from=live.id if live is not None and is_answering else "")
    if config.start_from:
        workshop.store.adapters.get(config.start_from)
    return config


def parent_folder(workshop: Workshop, adapter_id: str) -> Path | None:
    """Where the adapter lies that a job starts from, None for "". Raises NotFound, and Unavailable where it cannot be had."""
    if not adapter_id:
        return None
    adapter = workshop.store.adapters.get(adapter_id)
    if problem := unusable(adapter, workshop.backbone, workshop.artifacts):
        raise Unavailable(f"training cannot start from it: {problem}")
    return workshop.artifacts / adapter.path


def follow(store: Store, artifacts: Path, kinds: Sequence[Kind]) -> None:
    """In every process but the first of several that train together: train on whatever job the first one runs, until it is
    over. Raises what the training raises."""
    while job_id := agreed(""):
        job = store.jobs.get(job_id)
        work = next(kind for kind in kinds if kind.name == job.kind).prepare(job)
        assert isinstance(work, AdapterWork)
        work.follow(Unheard(store, job, checkpoint_folder(artifacts, job.id), lambda: False, lambda *event: None))


@dataclass(slots=True)
class AdapterWork(ABC):
    """One job; a kind says what `opening`, `learn` and `metrics` are."""

    workshop: Workshop
    job: Job
    _evaluate: Evaluate | None = field(default=None, init=False)
    _seconds_of_evaluation: float = field(default=0.0, init=False)
    _step_seconds: list[float] = field(default_factory=list, init=False)

    @abstractmethod
    def opening(self) -> str:
        """What the run is about to do, for its log."""

    def fit(self, on_done: Callable[[int], None] = lambda done: None) -> Sequence[TooLong]:
        """Leave out what is too long to be learned from, before anything is measured; returns what was left out. `on_done`
        hears how many were looked at."""
        return ()

    @property
    @abstractmethod
    def items(self) -> Sequence[Any]:
        """What the run learns from."""

    @abstractmethod
    def learn(self, report: Report, on_metric: OnStep) -> Trained:
        """Train, from the last checkpoint in the report's folder where there is one, and leave the adapter on the backbone;
        `on_metric` hears of each step."""

    @abstractmethod
    def metrics(self, numbers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """What the adapter's record says beside before and after, of all steps' `numbers`."""

    def run(self, report: Report) -> Ending:
        self._evaluate = self.workshop.measuring(self.job)
        too_long = [one.sentence for one in self.fit()]
        if not report.said("note"):
            for text in (*(self.job.config.get("notes") or ()), *too_long):
                report.say(None, "note", {"text": text})
        before = self._measure(report, "before", self._compared_with())
        if report.should_stop():
            return CutOff("before the first step")
        report.say(None, "log", {"text": self.opening()})
        agreed(self.job.id)  # those who follow begin
        result = self.learn(report, self.on_metric)
        try:
            where = f"after {result.steps} of {result.total_steps} steps" if result.steps else "before the first step"
            if result.is_stopped and (report.is_closing() or result.steps == 0):
                return CutOff(where)
            after, is_stopped = None, result.is_stopped
            if not is_stopped:
                new = nullcontext(LocalPolicy(candidate(self.workshop.backbone, self._name)))
                after = self._measure(report, "after", new)
                if after is None and self._evaluate is not None:  # stopped while it was measured
                    if report.is_closing():
                        return CutOff(where)
                    is_stopped = True
            adapter = self._record(report, result, is_stopped, before, after)
        finally:
            with self.workshop.backbone.lease.held():
                self.workshop.backbone.adapters.drop_training()
        report.say(result.steps, "adapter", {"id": adapter.id, "name": adapter.name, "steps": result.steps})
        return (
            Stopped(f"stopped {where}; the adapter so far is kept")
            if is_stopped
            else Done(self._verdict(result, before, after))
        )

    def follow(self, report: Report) -> None:
        """As `run`, in a process that trains beside the one that runs the job, and records nothing."""
        self.fit()
        self.learn(report, self.on_metric)
        with self.workshop.backbone.lease.held():
            self.workshop.backbone.adapters.drop_training()

    def on_metric(self, report: Report, step: int, total: int, numbers: Mapping[str, float]) -> None:
        self._step_seconds = [*self._step_seconds, numbers["seconds"]][-_STEPS_TO_AVERAGE:]
        left_s = (total - step) * sum(self._step_seconds) / len(self._step_seconds) + self._seconds_of_evaluation
        report.say(step, "metric", dict(numbers) | {"left_s": left_s})
        # A share is kept for measuring, so that the bar never stands full while work goes on.
        report.progress(0.95 * step / total, f"step {step} of {total}, about {duration(left_s)} left")

    def _verdict(self, result: Trained, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
        text = f"{result.total_steps} steps done"
        if before and after and before.get("accuracy") is not None and after.get("accuracy") is not None:
            text += f"; {before['accuracy']:.1%} right before, {after['accuracy']:.1%} after (n = {after.get('n')})"
        comparison = measured(self.workshop.store, self.job.id)
        return text if comparison is None or not comparison.n else f"{text}: {comparison.words}"

    @property
    def _name(self) -> str:
        return str(self.job.config["name"])

    def _compared_with(self) -> AbstractContextManager[Policy]:
        """Whom the new adapter is compared with: as the job remembers, else what answers now."""
        chosen = (self.job.config.get("evaluation") or {}).get("answerer")
        if not chosen:
            return nullcontext(LocalPolicy(self.workshop.backbone))
        return self._answering(chosen)

    @contextmanager
    def _answering(self, chosen: Mapping[str, Any]) -> Iterator[Policy]:
        shop = self.workshop
        with AdapterAnswering(shop.store, shop.backbone, shop.artifacts).open(chosen, None) as answerer:
            yield cast(Policy, answerer.policy)

    def _measure(
        self, report: Report, when: When, answering: AbstractContextManager[Policy]
    ) -> Mapping[str, Any] | None:
        """What the evaluation says, recorded; None where there is none or it was stopped. A resumed job keeps its
        "before"."""
        if self._evaluate is None:
            return None
        for event in reversed(report.said("evaluation")):
            if when == "before" and event.data.get("when") == "before":
                self._seconds_of_evaluation = event.data.get("seconds") or 0.0
                return event.data
        report.progress(None, f"measuring {when} training")
        started = time.time()
        with answering as policy:
            numbers = self._evaluate(when, policy, report.should_stop_soon)
            name = policy.name
        if report.should_stop():
            return None
        self._seconds_of_evaluation = time.time() - started
        data = {"when": when, "policy": name, "seconds": self._seconds_of_evaluation}
        report.say(None, "evaluation", data | dict(numbers))
        return data | dict(numbers)

    def _record(
        self,
        report: Report,
        result: Trained,
        is_stopped: bool,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> Adapter:
        return record_training_adapter(
            self.workshop.store,
            self.workshop.backbone,
            self.workshop.artifacts,
            folder=f"{self.job.id}-{result.steps}",
            name=self._name,
            job_id=self.job.id,
            metrics={
                "before": None if before is None else dict(before),
                "after": None if after is None else dict(after),
                "steps": result.steps,
                "total_steps": result.total_steps,
                "is_stopped": is_stopped,
            }
            | dict(self.metrics([event.data for event in report.said("metric")])),
        )
