"""Everything that the Train screen shows at one moment, read from the store.

The idea: one function reads, and every handler of the screen ends with it, so a page that was just opened and one that
has watched from the beginning show the same. `has_changed` is the cheap question that a timer asks: it reads a few
rows, and the rest only once something is new.

Invariant: nothing here changes anything. Not covered: what the buttons do (`ui.train`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from engine.errors import NotFound
from engine.jobs.adapter_sending import merged_folder
from engine.jobs.kinds import MERGE, PROBE, PUSH_ADAPTER, TRAINING
from engine.store import Adapter, Job, JobEvent
from ui.studio import Studio
from ui.training import run_values
from ui.training.attempts import attempts_value
from ui.training.basis import read_basis
from ui.training.comparing import read_comparison
from ui.training.curves import curves_value
from ui.training.expecting import newest_probe

__all__ = ["Board", "Seen", "has_changed", "read_board", "runs_beside"]

_HISTORY = 50
_ELSEWHERE = (MERGE, PUSH_ADAPTER)
_BESIDE = (*_ELSEWHERE, PROBE)
"""Kinds that the page follows beside the runs."""
_NO_RUN = "No run yet. Accepted traces are what an adapter learns from; Start queues a run that goes on when you leave."
_NO_RUNS = "Runs will be listed here, and stay."


@dataclass(frozen=True, slots=True)
class Seen:
    """What a page has seen of the store: of runs, of traces, and how many of these can be learned from, as far as a model
    was there to judge them (`is_judged`); `beside` are the runs whose curves it wants in the same charts."""

    stamp: tuple[Any, ...] = ()
    touched_at: str | None = ""
    usable: int = 0
    is_judged: bool = False
    beside: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """`job` is the run that is shown, None where there never was one, `adapter` what came of it; `active` is whatever
    runs or waits, `probe` the newest measurement of what a run would take, `sent` the newest job that takes the adapter
    elsewhere; `promoted` is what the store says and `live` what really answers, None where it could not be loaded,
    `previous` the adapter that answered before; `basis` is None where it is as the page has seen it."""

    seen: Seen
    job: Job | None
    adapter: Adapter | None
    active: Job | None
    probe: Job | None
    sent: Job | None
    promoted: Adapter | None
    live: Adapter | None
    previous: Adapter | None
    basis: dict[str, Any] | None
    job_value: dict[str, Any]
    curves: dict[str, Any]
    attempts: dict[str, Any]
    comparison: dict[str, Any]
    who: dict[str, Any]
    runs: dict[str, Any]

    @property
    def is_busy(self) -> bool:
        """Whether something goes on that the page follows."""
        return self.active is not None or any(one is not None and one.is_active for one in (self.probe, self.sent))


def has_changed(studio: Studio, chosen: str | None, seen: Seen) -> bool:
    return (_stamp(studio, _shown_job(studio, chosen)), studio.store.lessons.last_change()) != (
        seen.stamp,
        seen.touched_at,
    )


def read_board(studio: Studio, chosen: str | None = None, seen: Seen | None = None) -> Board:
    """The board with the run `chosen`, or the newest one; an id that is not there counts as none."""
    store = studio.store
    # First: what changes while we read is read again.
    stamp, touched_at = _stamp(studio, _shown_job(studio, chosen)), store.lessons.last_change()
    is_judged = studio.jobs is not None
    job = _shown_job(studio, chosen)
    jobs, adapters, promoted = (
        store.jobs.list(limit=_HISTORY, kinds=TRAINING),
        store.adapters.list(),
        store.adapters.live(),
    )
    live = promoted if promoted and studio.jobs and studio.jobs.live_name == promoted.name else None
    by_job = {adapter.job_id: adapter for adapter in reversed(adapters)}  # the newest of a job that was resumed
    events = [] if job is None else store.jobs.events(job.id, limit=1_000_000)
    promotions = store.adapters.promotions(limit=1)
    beside = () if seen is None else seen.beside
    is_known = seen is not None and (seen.touched_at, seen.is_judged) == (touched_at, is_judged)
    basis, usable = (None, seen.usable) if seen is not None and is_known else read_basis(studio)
    return Board(
        seen=Seen(stamp, touched_at, usable, is_judged, beside),
        job=job,
        adapter=by_job.get(job.id) if job else None,
        active=next((one for one in jobs if one.is_active), None),
        probe=newest_probe(store),
        sent=next(iter(_taken_elsewhere(studio, by_job.get(job.id) if job else None)), None),
        promoted=promoted,
        live=live,
        previous=store.adapters.previous(),
        basis=basis,
        job_value=_job_value(
            studio, job, events, by_job.get(job.id) if job else None, is_chosen=job is not None and job.id == chosen
        ),
        curves=curves_value(job, events, _others(studio, job, beside)),
        attempts=attempts_value(job, events),
        comparison=read_comparison(store, job, events),
        who=run_values.who_value(
            _model_name(studio),
            promotions[0] if promotions else None,
            live=live,
            problem=studio.untrainable or studio.problem,
        ),
        runs={
            "items": [run_values.run_value(one, by_job.get(one.id), live) for one in jobs],
            "current": job.id if job else None,
            "empty": _NO_RUNS,
        },
    )


def runs_beside(studio: Studio, chosen: str | None) -> list[Job]:
    """The runs that can stand beside the one that is shown: those of the same kind, newest first."""
    job = _shown_job(studio, chosen)
    known = studio.store.jobs.list(limit=_HISTORY, kinds=TRAINING)
    return [] if job is None else [one for one in known if one.kind == job.kind and one.id != job.id]


def _others(studio: Studio, job: Job | None, beside: tuple[str, ...]) -> list[tuple[Job, list[JobEvent]]]:
    """Other runs of the same kind, with what they told of their steps."""
    jobs = studio.store.jobs
    found = [one for one in jobs.list(limit=_HISTORY, kinds=TRAINING) if one.id in beside]
    return [
        (one, jobs.events(one.id, kind="metric", limit=1_000_000))
        for one in found
        if job is not None and one.kind == job.kind and one.id != job.id
    ]


def _model_name(studio: Studio) -> str:
    if studio.unready is not None and studio.reasoner is not None:
        return studio.reasoner.name
    return studio.policy().name if studio.jobs is None else studio.jobs.model_name


def _shown_job(studio: Studio, chosen: str | None) -> Job | None:
    if chosen is not None:
        try:
            job = studio.store.jobs.get(chosen)
        except NotFound:
            job = None
        if job is not None and job.kind in TRAINING:
            return job
    newest = studio.store.jobs.list(limit=1, kinds=TRAINING)
    return newest[0] if newest else None


def _stamp(studio: Studio, job: Job | None) -> tuple[Any, ...]:
    """Changes with whatever the board shows of runs."""
    store, job_id = studio.store, None if job is None else job.id
    beside = [one.id for one in store.jobs.list(limit=1, kinds=_BESIDE)]
    followed = store.jobs.stamp(beside[0] if beside else None, _BESIDE)
    return (job_id, studio.unready, *store.jobs.stamp(job_id, TRAINING), *followed, *store.adapters.stamp())


def _taken_elsewhere(studio: Studio, adapter: Adapter | None) -> list[Job]:
    """The jobs that merged or sent the adapter, newest first."""
    if adapter is None:
        return []
    known = studio.store.jobs.list(limit=_HISTORY, kinds=_ELSEWHERE)
    return [one for one in known if one.config["adapter"] == adapter.id]


def _job_value(
    studio: Studio, job: Job | None, events: list[JobEvent], adapter: Adapter | None, *, is_chosen: bool
) -> dict[str, Any]:
    if job is None:
        return {"id": None, "state": "none", "foot": [], "facts": [], "log": [], "status": "", "empty": _NO_RUN}
    is_merged = adapter is not None and merged_folder(studio.settings.artifacts, adapter.id).is_dir()
    return run_values.job_value(job, events, adapter, is_chosen=is_chosen, is_merged=is_merged)
