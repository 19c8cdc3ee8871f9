"""One claimed training job on its way: measure before, train, measure after, record; stop and say so wherever it is.

The idea: SFT and RL differ in what they learn from and what they say of each step; the way of a job around that is one.

Invariants: every number is an event in the store before anyone acts on it; however it ends, no adapter is left in training
and the lease is free. Not covered: errors (`engine.training.jobs` turns them into a failed job).
"""

from __future__ import annotations

import dataclasses
import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from engine.errors import Conflict, Unavailable
from engine.policies.local import LocalPolicy
from engine.store import Adapter, Job
from engine.training.candidate import candidate
from engine.training.promotion import record_training_adapter
from engine.training.snapshot import describe
from engine.training.workshop import Workshop

__all__ = ["Learned", "OnEvent", "Run"]

_ASK_AGAIN_S = 0.25
OnEvent = Callable[[int | None, str, Mapping[str, Any]], None]
"""on_event(step, kind, data): what was just recorded."""


class Learned(Protocol):
    """What training came to: `steps` of `total_steps`; a frozen dataclass."""

    @property
    def steps(self) -> int: ...

    @property
    def total_steps(self) -> int: ...

    @property
    def is_stopped(self) -> bool: ...


@dataclass(slots=True)
class Run(ABC):
    """One claimed job on its way; a kind of job says what `learn`, `metrics` and `opening` are. `seconds_of_evaluation` is
    what measuring before took."""

    workshop: Workshop
    job: Job
    is_closing: Callable[[], bool]
    on_event: OnEvent
    seconds_of_evaluation: float = 0.0
    step_seconds: list[float] = field(default_factory=list)
    asked_at: float = 0.0
    is_stop_known: bool = False

    def run(self) -> Job:
        if self.job.config["backbone"] != describe(self.workshop.backbone):
            queued, here = self.job.config["backbone"], describe(self.workshop.backbone)
            different = sorted(key for key in here if queued.get(key) != here[key])
            raise Unavailable(
                f"this job was queued for {queued.get('name')} and cannot run on {here['name']} "
                f"(different: {', '.join(different)}); start a new job"
            )
        self.prepare()
        before = self.measure("before", LocalPolicy(self.workshop.backbone))
        if self.should_stop():
            return self.end_early("before the first step")
        self.say(None, "log", {"text": self.opening()})
        result = self.learn()
        try:
            if result.is_stopped and (self.is_closing() or result.steps == 0):
                where = (
                    f"after {result.steps} of {result.total_steps} steps" if result.steps else "before the first step"
                )
                return self.end_early(where)
            after = None
            if not result.is_stopped:
                after = self.measure("after", LocalPolicy(candidate(self.workshop.backbone, self.job.config["name"])))
                if self.should_stop() and after is None and self.workshop.evaluate is not None:
                    if self.is_closing():
                        return self.end_early(f"after {result.steps} of {result.total_steps} steps")
                    result = dataclasses.replace(result, is_stopped=True)  # type: ignore[type-var]
            adapter = self.record(result, before, after)
        finally:
            with self.workshop.backbone.lease.held():
                self.workshop.backbone.adapters.drop_training()
        self.say(result.steps, "adapter", {"id": adapter.id, "name": adapter.name, "steps": result.steps})
        if result.is_stopped:
            done = f"stopped after {result.steps} of {result.total_steps} steps; the adapter so far is kept"
            return self.end("stopped", done)
        shutil.rmtree(self.workshop.checkpoint_folder(self.job.id), ignore_errors=True)
        return self.end("done", _verdict(result, before, after))

    # --- the parts ---------------------------------------------------------------------------------------------------

    def measure(self, when: Literal["before", "after"], policy: LocalPolicy) -> Mapping[str, Any] | None:
        """What `evaluate` says, recorded; None where there is none or it was stopped. A resumed job keeps its "before"."""
        if self.workshop.evaluate is None:
            return None
        for event in reversed(self.workshop.store.jobs.events(self.job.id, kind="evaluation")):
            if when == "before" and event.data.get("when") == "before":
                self.seconds_of_evaluation = event.data.get("seconds") or 0.0
                return event.data
        self.beat(None, f"measuring {when} training")
        started = time.time()
        numbers = self.workshop.evaluate(policy, self.should_stop_soon)
        if self.should_stop():
            return None
        seconds = time.time() - started
        self.seconds_of_evaluation = seconds
        data = {"when": when, "adapter": policy.backbone.adapters.live_name, "seconds": seconds} | dict(numbers)
        self.say(None, "evaluation", data)
        return data

    @abstractmethod
    def prepare(self) -> None:
        """Read the job's snapshot. Raises what makes the job impossible."""

    @abstractmethod
    def opening(self) -> str:
        """What the run is about to do, for its log."""

    @abstractmethod
    def learn(self) -> Learned:
        """Train, and leave the adapter on the backbone."""

    @abstractmethod
    def metrics(self, numbers: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """What the adapter's record says beside before and after, of all steps' `numbers`."""

    def on_metric(self, step: int, total: int, numbers: Mapping[str, float]) -> None:
        self.step_seconds = [*self.step_seconds[-19:], numbers["seconds"]]
        left_s = (total - step) * sum(self.step_seconds) / len(self.step_seconds) + self.seconds_of_evaluation
        self.say(step, "metric", dict(numbers) | {"left_s": left_s})
        # A share is kept for measuring, so that the bar never stands full while work goes on.
        self.beat(0.95 * step / total, f"step {step} of {total}, about {_duration(left_s)} left")

    def record(self, result: Learned, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Adapter:
        events = self.workshop.store.jobs.events(self.job.id, kind="metric", limit=1_000_000)
        return record_training_adapter(
            self.workshop.store,
            self.workshop.backbone,
            self.workshop.artifacts,
            folder=f"{self.job.id}-{result.steps}",
            name=self.job.config["name"],
            job_id=self.job.id,
            metrics={
                "before": None if before is None else dict(before),
                "after": None if after is None else dict(after),
                "steps": result.steps,
                "total_steps": result.total_steps,
                "is_stopped": result.is_stopped,
            }
            | dict(self.metrics([event.data for event in events])),
        )

    # --- stopping, ending, telling -----------------------------------------------------------------------------------

    def should_stop(self) -> bool:
        self.is_stop_known = self.is_closing() or self.workshop.store.jobs.is_stop_requested(self.job.id)
        self.asked_at = time.time()
        return self.is_stop_known

    def should_stop_soon(self) -> bool:
        """`should_stop` for those who ask before every token: looks a few times a second, and shows a sign of life."""
        if time.time() - self.asked_at > _ASK_AGAIN_S:
            self.should_stop()
            self.beat()
        return self.is_stop_known

    def end_early(self, where: str) -> Job:
        if self.workshop.store.jobs.is_stop_requested(self.job.id):
            return self.end("stopped", f"stopped {where}")
        return self.end("interrupted", f"the studio was closed {where}; it goes on at the next start")

    def end(self, state: Literal["stopped", "done", "failed", "interrupted"], message: str) -> Job:
        try:
            return self.workshop.store.jobs.set_state(self.job.id, state, message)
        except Conflict:  # another process had declared it interrupted, or the queue took it back
            return self.workshop.store.jobs.get(self.job.id)

    def say(self, step: int | None, kind: str, data: Mapping[str, Any]) -> None:
        self.workshop.store.jobs.add_event(self.job.id, step, kind, data)
        self.on_event(step, kind, data)

    def beat(self, progress: float | None = None, message: str | None = None) -> None:
        self.workshop.store.jobs.heartbeat(self.job.id, progress, message)


def _verdict(result: Learned, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    text = f"{result.total_steps} steps done"
    if before and after and before.get("accuracy") is not None and after.get("accuracy") is not None:
        text += f"; {before['accuracy']:.1%} right before, {after['accuracy']:.1%} after ({after.get('n')} examples)"
    return text


def _duration(seconds: float) -> str:
    """A time as a person would say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
