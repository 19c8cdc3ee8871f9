"""A job from queued to its end, whatever its kind: queue, run, stop, go on after a stop or a kill.

    queue_job          a plan -> a queued job
    resume_job         a stopped, failed or interrupted one waits again, to go on from its last checkpoint
    run_job            a claimed one -> as it ended
    run_in_foreground  all of it, here and now
    unfinished         the job that a command goes on with when it is given again

The idea: whatever happens is a row in the store, so a page that is opened later, or after a restart, shows the whole run;
the same function runs in the worker and in the foreground.

Invariants: a job only reads its record, never today's queue; one that cannot go on says why; its folder of checkpoints is
there until it is done. Not covered: when jobs run (`engine.jobs.worker`), what they do (the kinds).
"""

from __future__ import annotations

import logging
import shutil
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.errors import Conflict, PersonError
from engine.jobs.kinds import CutOff, Done, Ending, Kind, Plan, Stopped
from engine.jobs.report import OnEvent, OnProgress, Report
from engine.store import Job, JobState, Store

__all__ = [
    "RunJob",
    "checkpoint_folder",
    "curve",
    "queue_job",
    "resume_job",
    "run_in_foreground",
    "run_job",
    "unfinished",
]

log = logging.getLogger(__name__)

RunJob = Callable[..., Job]
"""`run_job`, or what runs a job in its place with the same arguments."""


def queue_job(store: Store, kind: Kind, plan: Plan) -> Job:
    """Raises NotFound for an unknown revision in the plan."""
    return store.jobs.create(kind.name, plan.config, plan.seeds, plan.versions, plan.revision_ids)


def resume_job(store: Store, job_id: str) -> Job:
    """Queue a stopped, failed or interrupted job again; it goes on from its last checkpoint. Raises NotFound, and Conflict
    where it is in another state, or some of its traces were deleted."""
    missing = store.jobs.get(job_id).revision_count - len(store.jobs.revision_ids(job_id))
    if missing:
        raise Conflict(f"{missing} of the traces that this job learns from were deleted; start a new job")
    return store.jobs.set_state(job_id, "queued", "waiting to go on")


def unfinished(store: Store, kind: Kind, plan: Plan) -> Job | None:
    """The newest job of the same plan that was stopped, or whose process died, so that the same command goes on with it."""
    store.jobs.recover()
    known = store.jobs.list(kinds=[kind.name])
    return next((job for job in known if job.state in ("stopped", "interrupted") and job.config == plan.config), None)


def run_in_foreground(
    store: Store,
    artifacts: Path,
    kind: Kind,
    asked: Plan | Job,
    *,
    on_event: OnEvent | None = None,
    on_progress: OnProgress | None = None,
) -> Job:
    """Queue a planned job, or a stopped one again, and run it here and now; returns it as it ended. `on_event` is called with
    (step, kind, data) of every event, `on_progress` with each sentence that says where it is. Ctrl-C stops the job, keeping
    its last checkpoint, and raises KeyboardInterrupt."""
    with store.transaction():  # so that no worker of another process takes it first
        job = resume_job(store, asked.id) if isinstance(asked, Job) else queue_job(store, kind, asked)
        store.jobs.claim(job.id)
    claimed = store.jobs.get(job.id)
    return run_job(store, artifacts, {kind.name: kind}, claimed, on_event=on_event, on_progress=on_progress)


def run_job(
    store: Store,
    artifacts: Path,
    kinds: Mapping[str, Kind],
    job: Job,
    *,
    is_closing: Callable[[], bool] = lambda: False,
    on_event: OnEvent | None = None,
    on_progress: OnProgress | None = None,
) -> Job:
    """Run a job that this process has claimed, to whatever end, and return it as it ended. Where `is_closing` becomes true
    it ends at the next place that it can go on from, as interrupted, and goes on when it is claimed again. Raises nothing
    but what ends the process."""
    kind = kinds.get(job.kind)
    if kind is None:
        known = ", ".join(sorted(kinds)) or "none"
        return _end(store, job, "failed", f"this studio cannot run jobs of kind {job.kind!r} (only {known})")
    folder = checkpoint_folder(artifacts, job.id)
    unheard: tuple[OnEvent, OnProgress] = (lambda step, kind, data: None, lambda sentence: None)
    report = Report(store, job, folder, is_closing, on_event or unheard[0], on_progress or unheard[1])
    try:
        ending = kind.prepare(job).run(report)
    except KeyboardInterrupt:
        _end(store, job, "stopped", "stopped by Ctrl-C; it can go on from its last checkpoint")
        raise
    except PersonError as error:
        report.say(None, "error", {"text": str(error)})
        return _end(store, job, "failed", str(error))
    except Exception as error:
        log.exception("the job %s failed", job.id)
        report.say(None, "error", {"text": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()})
        return _end(store, job, "failed", f"an error of the studio ended it ({type(error).__name__}: {error})")
    if isinstance(ending, Done):
        shutil.rmtree(folder, ignore_errors=True)
    return _end(store, job, *_state_of(store, job, ending))


def checkpoint_folder(artifacts: Path, job_id: str) -> Path:
    return artifacts / "checkpoints" / job_id


def curve(store: Store, job_id: str, metric: str = "loss") -> list[tuple[int, float]]:
    """(step, value) of one number of a job, by step. After a kill a job goes on from its last checkpoint, so steps after it
    are there twice: the later value counts."""
    points: dict[int, float] = {}
    for event in store.jobs.events(job_id, kind="metric", limit=1_000_000):
        value = event.data.get(metric)
        if event.step is not None and value is not None:
            points[event.step] = value
    return sorted(points.items())


def _state_of(store: Store, job: Job, ending: Ending) -> tuple[JobState, str]:
    match ending:
        case Done(message):
            return "done", message
        case Stopped(message):
            return "stopped", message
        case CutOff(where) if store.jobs.is_stop_requested(job.id):
            return "stopped", f"stopped {where}"
        case CutOff(where):
            return "interrupted", f"the studio was closed {where}; it goes on at the next start"


def _end(store: Store, job: Job, state: JobState, message: str) -> Job:
    try:
        return store.jobs.set_state(job.id, state, message)
    except Conflict:  # another process had declared it interrupted, or the queue took it back
        return store.jobs.get(job.id)
