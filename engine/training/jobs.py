"""A training job from its snapshot to a recorded adapter: queued, run, stopped, resumed.

    queue_sft, queue_grpo:  snapshot of settings, seeds, library versions, backbone, and the exact revisions or questions
    run_job:                measure before -> train -> measure after -> save and record the adapter

The idea: whatever happens is a row in the store (events "log", "evaluation", "metric", "rollouts", "adapter", "alarm",
"error"), so a
page that is opened later, or after a restart, shows the whole run; the same function runs in the worker and in the
foreground.

    metric      step; the numbers of `engine.training.sft.OnMetric` or `engine.training.grpo.OnMetric`, and left_s,
                estimated seconds to the end of the job
    evaluation  {"when": "before" | "after", "adapter": name or null, ...what evaluate returned}
    adapter     {"id", "name", "steps"}
    alarm       {"text", "rapr"}: RL only, the learning trap
    rollouts    step; RL only, of some steps: two attempts at one question (`engine.training.looked_at`)

After a kill a run goes on from its last whole checkpoint, so steps after it are there twice: `curve` keeps the later row.

Invariants: a job only reads its snapshot, never today's queue; the lease is free and no adapter is left in training when it
ends; a job that cannot go on says why. Not covered: when jobs run (`engine.training.worker`).
"""

from __future__ import annotations

import dataclasses
import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.errors import InvalidInput, PersonError
from engine.protocols import protocol_named
from engine.store import Job, Store
from engine.training.dataset import objection
from engine.training.episodes import RlExample
from engine.training.grpo_config import GrpoConfig
from engine.training.grpo_run import GrpoRun
from engine.training.run import OnEvent, Run
from engine.training.sft import SftConfig
from engine.training.sft_run import SftRun
from engine.training.snapshot import describe, example_of, keep_examples, question_of, versions
from engine.training.workshop import Workshop

__all__ = [
    "GRPO",
    "KINDS",
    "LIVE",
    "SFT",
    "curve",
    "queue_grpo",
    "queue_sft",
    "resume_job",
    "run_job",
    "train_grpo_in_foreground",
    "train_in_foreground",
]

SFT, GRPO = "sft", "grpo"
KINDS: Mapping[str, type[Run]] = {SFT: SftRun, GRPO: GrpoRun}
"""What can be run, by the kind that is written with a job."""
LIVE = "live"
"""As `start_from` of an RL job that is queued: the adapter that answers now."""

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
        reason = objection(example_of(store, revision), protocol)
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
        "backbone": describe(backbone),
        "evaluation": dict(evaluation or {}),
        "left_out": left_out,
    }
    return store.jobs.create(SFT, settings, {"seed": config.seed}, versions(), chosen)


def queue_grpo(
    workshop: Workshop,
    config: GrpoConfig | None = None,
    *,
    examples: Sequence[RlExample] | None = None,
    revision_ids: Sequence[str] | None = None,
    name: str = "",
    evaluation: Mapping[str, Any] | None = None,
) -> Job:
    """Queue an RL job on `examples` (kept in a file), or on the questions of `revision_ids`, by default of every accepted
    revision, with the gold answer where one is known and else the accepted one. `start_from="live"` in the configuration
    becomes the adapter that answers now, if there is one. What has no answer is left out and listed.

    Raises InvalidInput where nothing is left, NotFound for unknown revisions or adapters.
    """
    store, backbone, config = workshop.store, workshop.backbone, config or GrpoConfig()
    if config.start_from == LIVE:
        live = store.adapters.live()
        is_answering = live is not None and backbone.adapters.live_name == live.name
        config = dataclasses.replace(config, start_from=live.id if live is not None and is_answering else "")
    elif config.start_from:
        store.adapters.get(config.start_from)
    settings: dict[str, Any] = {
        "name": name or f"rl {len(store.adapters.list()) + 1}",
        "grpo": config.as_json(),
        "backbone": describe(backbone),
        "evaluation": dict(evaluation or {}),
    }
    chosen: list[str] = []
    if examples is not None:
        known = [one for one in examples if one.example.answer]
        settings |= {"left_out": [_left_out(one) for one in examples if not one.example.answer]}
        if known:
            settings["examples"] = keep_examples(workshop.artifacts, known)
        count = len(known)
    else:
        ids = None if revision_ids is None else list(revision_ids)
        revisions = store.reviews.accepted() if ids is None else [store.revisions.get(one) for one in ids]
        questions = [(revision, question_of(store, revision)) for revision in revisions]
        chosen = [revision.id for revision, one in questions if one.example.answer]
        settings["left_out"] = [
            {"revision": revision.id, "reason": "its answer is not known"}
            for revision, one in questions
            if not one.example.answer
        ]
        count = len(chosen)
    if not count:
        raise InvalidInput(
            "there is nothing to roll out: RL needs questions with known answers; accept some traces first"
        )
    return store.jobs.create(GRPO, settings, {"seed": config.seed}, versions(), chosen)


def _left_out(one: RlExample) -> dict[str, str]:
    return {"question": one.example.question, "reason": "its answer is not known"}


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
    return _in_foreground(
        workshop,
        lambda: queue_sft(workshop, config, revision_ids=revision_ids, name=name, evaluation=evaluation),
        on_event,
    )


def train_grpo_in_foreground(
    workshop: Workshop,
    config: GrpoConfig | None = None,
    *,
    examples: Sequence[RlExample] | None = None,
    revision_ids: Sequence[str] | None = None,
    name: str = "",
    evaluation: Mapping[str, Any] | None = None,
    on_event: OnEvent | None = None,
) -> Job:
    """As `train_in_foreground`, for RL."""
    return _in_foreground(
        workshop,
        lambda: queue_grpo(
            workshop, config, examples=examples, revision_ids=revision_ids, name=name, evaluation=evaluation
        ),
        on_event,
    )


def _in_foreground(workshop: Workshop, queue: Callable[[], Job], on_event: OnEvent | None) -> Job:
    with workshop.store.transaction():  # so that no worker of another process takes it first
        job = queue()
        workshop.store.jobs.claim(job.id)
    return run_job(workshop, workshop.store.jobs.get(job.id), on_event=on_event)


def run_job(
    workshop: Workshop, job: Job, *, is_closing: Callable[[], bool] = lambda: False, on_event: OnEvent | None = None
) -> Job:
    """Run a job that this process has claimed, to whatever end, and return it as it ended. Where `is_closing` becomes true
    it ends after the current step (RL: within a token while it rolls out) as interrupted, and goes on when it is claimed
    again. Raises nothing but what ends the process."""
    run = KINDS[job.kind](workshop, job, is_closing, on_event or (lambda step, kind, data: None))
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
