"""An SFT job from the accepted traces to a recorded adapter: queued, run, stopped, resumed.

    queue_sft:  snapshot of settings, seeds, library versions, backbone, and the exact revisions
    run_sft_job: measure before -> train -> measure after -> save and record the adapter

The idea: whatever happens is a row in the store (events "log", "evaluation", "metric", "adapter", "error"), so a page that
is opened later, or after a restart, shows the whole run; the same function runs in the worker and in the foreground.

    metric      step; the numbers of `engine.training.sft.OnMetric` and left_s, estimated seconds to the end of the job
    evaluation  {"when": "before" | "after", "adapter": name or null, ...what evaluate returned}
    adapter     {"id", "name", "steps"}

After a kill a run goes on from its last whole checkpoint, so steps after it are there twice: `curve` keeps the later row.

Invariants: a job only reads its snapshot, never today's queue; the lease is free and no adapter is left in training when it
ends; a job that cannot go on says why. Not covered: when jobs run (`engine.training.worker`).
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import logging
import platform
import shutil
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import Conflict, InvalidInput, PersonError, Unavailable
from engine.policies.local import LocalPolicy
from engine.protocols import protocol_named
from engine.store import Adapter, Job, Revision, Store
from engine.training.candidate import candidate
from engine.training.checkpoints import base_hash
from engine.training.dataset import TrainingExample, objection
from engine.training.promotion import record_training_adapter
from engine.training.sft import SftConfig, SftResult, run_sft
from engine.training.workshop import Workshop

__all__ = ["KIND", "curve", "queue_sft", "resume_job", "run_sft_job", "train_in_foreground"]

KIND = "sft"
_LIBRARIES = ("torch", "transformers", "trl", "peft", "bitsandbytes", "accelerate", "datasets")
_ASK_AGAIN_S = 0.25
OnEvent = Callable[[int | None, str, Mapping[str, Any]], None]

log = logging.getLogger(__name__)


def queue_sft(
    workshop: Workshop,
    config: SftConfig | None = None,
    *,
    revision_ids: Sequence[str] | None = None,
    name: str = "",
    evaluation: Mapping[str, Any] | None = None,
) -> Job:
    """Queue a job on `revision_ids`, by default every accepted revision. `name` will be the adapter's; `evaluation` says
    in plain JSON what `workshop.evaluate` measures, for the record. Traces that cannot be learned from are left out and
    listed with the reason under "left_out" in the job's configuration.

    Raises InvalidInput where nothing is left, NotFound for unknown revisions.
    """
    store, backbone, config = workshop.store, workshop.backbone, config or SftConfig()
    ids = None if revision_ids is None else list(revision_ids)
    revisions = store.reviews.accepted() if ids is None else [store.revisions.get(one) for one in ids]
    if not revisions:
        raise InvalidInput("there is nothing to train on: accept some traces first")
    protocol = protocol_named(backbone.protocol_name)
    chosen, left_out = [], []
    for revision in revisions:
        reason = objection(_example(store, revision), protocol)
        if reason is None:
            chosen.append(revision.id)
        else:
            left_out.append({"revision": revision.id, "reason": reason})
    if not chosen:
        raise InvalidInput(
            f"none of the {len(revisions)} traces can be learned from; the first: {left_out[0]['reason']}"
        )
    settings = {
        "name": name or f"sft {len(store.adapters.list()) + 1}",
        "sft": config.as_json(),
        "backbone": _description(workshop),
        "evaluation": dict(evaluation or {}),
        "left_out": left_out,
    }
    return store.jobs.create(KIND, settings, {"seed": config.seed}, _versions(), chosen)


def resume_job(workshop: Workshop, job_id: str) -> Job:
    """Queue a stopped, failed or interrupted job again; it goes on from its last checkpoint. Raises Conflict."""
    return workshop.store.jobs.set_state(job_id, "queued", "waiting to go on")


def train_in_foreground(
    workshop: Workshop,
    config: SftConfig | None = None,
    *,
    revision_ids: Sequence[str] | None = None,
    name: str = "",
    evaluation: Mapping[str, Any] | None = None,
    on_event: OnEvent | None = None,
) -> Job:
    """Queue a job and run it here and now; returns it as it ended (done, failed or stopped). `on_event` is called with
    (step, kind, data) of every event. Ctrl-C stops the job, keeping its last checkpoint, and raises KeyboardInterrupt."""
    with workshop.store.transaction():  # so that no worker of another process takes it first
        job = queue_sft(workshop, config, revision_ids=revision_ids, name=name, evaluation=evaluation)
        workshop.store.jobs.claim(job.id)
    return run_sft_job(workshop, workshop.store.jobs.get(job.id), on_event=on_event)


def run_sft_job(
    workshop: Workshop, job: Job, *, is_closing: Callable[[], bool] = lambda: False, on_event: OnEvent | None = None
) -> Job:
    """Run a job that this process has claimed, to whatever end, and return it as it ended. Where `is_closing` becomes true
    it ends after the current step as interrupted, and goes on when it is claimed again. Raises nothing but what ends the
    process."""
    run = _Run(workshop, job, is_closing, on_event or (lambda step, kind, data: None))
    try:
        return run.run()
    except KeyboardInterrupt:
        run.end("stopped", "stopped by Ctrl-C; it can go on from its last checkpoint")
        raise
    except PersonError as error:
        run.say(None, "error", {"text": str(error)})
        return run.end("failed", str(error))
    except Exception as error:
        log.exception("the job %s failed", job.id)
        run.say(None, "error", {"text": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()})
        return run.end("failed", f"an error of the studio ended it ({type(error).__name__}: {error})")


def curve(store: Store, job_id: str, metric: str = "loss") -> list[tuple[int, float]]:
    """(step, value) of one number of a job, by step; where a step ran again after a restart, the later value."""
    points: dict[int, float] = {}
    for event in store.jobs.events(job_id, kind="metric", limit=1_000_000):
        value = event.data.get(metric)
        if event.step is not None and value is not None:
            points[event.step] = value
    return sorted(points.items())


@dataclass(slots=True)
class _Run:
    """One claimed job on its way; `seconds_of_evaluation` is what measuring before took."""

    workshop: Workshop
    job: Job
    is_closing: Callable[[], bool]
    on_event: OnEvent
    seconds_of_evaluation: float = 0.0
    step_seconds: list[float] = field(default_factory=list)
    asked_at: float = 0.0
    is_stop_known: bool = False

    def run(self) -> Job:
        if self.job.config["backbone"] != _description(self.workshop):
            queued, here = self.job.config["backbone"], _description(self.workshop)
            different = sorted(key for key in here if queued.get(key) != here[key])
            raise Unavailable(
                f"this job was queued for {queued.get('name')} and cannot run on {here['name']} "
                f"(different: {', '.join(different)}); start a new job"
            )
        config = SftConfig.from_json(self.job.config["sft"])
        store = self.workshop.store
        examples = [_example(store, store.revisions.get(one)) for one in self.job.revision_ids]
        before = self.measure("before", LocalPolicy(self.workshop.backbone))
        if self.should_stop():
            return self.end_early("before the first step")
        result = self.train(examples, config)
        try:
            if result.is_stopped and self.is_closing():
                return self.end_early(f"after {result.steps} of {result.total_steps} steps")
            after = None
            if not result.is_stopped:
                after = self.measure("after", LocalPolicy(candidate(self.workshop.backbone, self.job.config["name"])))
                if self.should_stop() and after is None and self.workshop.evaluate is not None:
                    if self.is_closing():
                        return self.end_early(f"after {result.steps} of {result.total_steps} steps")
                    result = dataclasses.replace(result, is_stopped=True)
            adapter = self.record(result, before, after, len(examples))
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

    def train(self, examples: Sequence[TrainingExample], config: SftConfig) -> SftResult:
        self.say(
            None, "log", {"text": f"training on {len(examples)} traces, {config.total_steps(len(examples))} steps"}
        )
        return run_sft(
            self.workshop.backbone,
            examples,
            config,
            load_pictures=self.workshop.load_pictures,
            on_metric=self.on_metric,
            should_stop=self.should_stop,
            checkpoint_dir=self.workshop.checkpoint_folder(self.job.id),
            resume=True,
        )

    def on_metric(self, step: int, total: int, numbers: Mapping[str, float]) -> None:
        self.step_seconds = [*self.step_seconds[-19:], numbers["seconds"]]
        left_s = (total - step) * sum(self.step_seconds) / len(self.step_seconds) + self.seconds_of_evaluation
        self.say(step, "metric", dict(numbers) | {"left_s": left_s})
        # A share is kept for measuring, so that the bar never stands full while work goes on.
        self.beat(0.95 * step / total, f"step {step} of {total}, about {_duration(left_s)} left")

    def record(
        self, result: SftResult, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, traces: int
    ) -> Adapter:
        losses = curve(self.workshop.store, self.job.id)
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
                "traces": traces,
                "first_loss": losses[0][1] if losses else None,
                "last_loss": losses[-1][1] if losses else None,
                "is_stopped": result.is_stopped,
                "seed": self.job.config["sft"]["seed"],
            },
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


def _example(store: Store, revision: Revision) -> TrainingExample:
    return TrainingExample(revision.trace, store.traces.get(revision.trace_id).options, revision.id)


def _description(workshop: Workshop) -> dict[str, Any]:
    """The backbone as a job depends on it, in plain JSON."""
    backbone = workshop.backbone
    return {
        "name": backbone.name,
        "hash": base_hash(backbone),
        "quantization": backbone.quantization,
        "protocol": backbone.protocol_name,
        "pixel_budgets": {role: dataclasses.asdict(budget) for role, budget in backbone.budgets.items()},
    }


def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in _LIBRARIES}


def _verdict(result: SftResult, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> str:
    text = f"{result.total_steps} steps done"
    if before and after and before.get("accuracy") is not None and after.get("accuracy") is not None:
        text += f"; {before['accuracy']:.1%} right before, {after['accuracy']:.1%} after ({after.get('n')} examples)"
    return text


def _duration(seconds: float) -> str:
    """A time as a person would say it."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"
