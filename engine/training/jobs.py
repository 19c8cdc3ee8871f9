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

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from engine.errors import InvalidInput, PersonError
from engine.protocols import protocol_named
from engine.store import Job, Store
from engine.training.dataset import objection
from engine.training.sft import SftConfig
from engine.training.sft_run import OnEvent, SftRun
from engine.training.snapshot import describe, example_of, versions
from engine.training.workshop import Workshop

__all__ = ["KIND", "curve", "queue_sft", "resume_job", "run_sft_job", "train_in_foreground"]

KIND = "sft"

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
    return store.jobs.create(KIND, settings, {"seed": config.seed}, versions(), chosen)


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
    run = SftRun(workshop, job, is_closing, on_event or (lambda step, kind, data: None))
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
