"""One thread that runs jobs one after another, outside Gradio's queue: it outlives every tab.

The idea: the store is the queue. The worker first takes up what a dead process left behind, then whatever is queued,
oldest first; `close` lets the running job come to a place that it can go on from, and the next start goes on from there.

Invariants: one job at a time; no exception ends the thread, and a thread that ended all the same is started again by the
next `wake`; it ends with the store. A job of a kind that the studio has but this process cannot run (a model is missing) is
left as it is; one of a kind that nobody knows is failed with a sentence. Not covered: what a job does (the kinds).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from engine.jobs.kinds import TITLES, Kind
from engine.jobs.running import RunJob, run_job
from engine.store import Job, Store

__all__ = ["Worker"]

log = logging.getLogger(__name__)


class Worker:
    """Runs the jobs of `store` whose kinds are in the table `kinds`, name -> kind; `artifacts` is the folder of
    checkpoints; `run` is what runs one."""

    def __init__(
        self, store: Store, artifacts: Path, kinds: Mapping[str, Kind], *, poll_s: float = 2.0, run: RunJob = run_job
    ) -> None:
        self._store = store
        self._artifacts = artifacts
        self._kinds = dict(kinds)
        self._poll_s = poll_s
        self._run_job = run
        self._news = threading.Event()
        self._closing = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._leftovers: list[Job] = []

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """The kinds that can be planned and run here, by name."""
        return MappingProxyType(self._kinds)

    @property
    def is_alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> list[Job]:
        """Find what a dead process left, and start working. Returns the jobs that will be taken up again."""
        stopping = {job.id for job in self._store.jobs.list("stopping")}
        self._store.jobs.recover(is_own_worker_idle=not self.is_alive)
        interrupted = list(reversed(self._store.jobs.list("interrupted")))
        for job in interrupted:
            if job.id in stopping:
                self._store.jobs.set_state(job.id, "stopped", "stopped; its process ended on the way")
        self._leftovers = [job for job in interrupted if job.id not in stopping]
        again = [job for job in self._leftovers if job.kind not in self._left_alone()]
        self.wake()
        return again

    def add(self, kinds: Mapping[str, Kind]) -> None:
        """From now on jobs of these kinds are run too, those that were left alone till now among them."""
        self._kinds = {**self._kinds, **kinds}
        if self._thread is not None:  # before the start nobody knows yet what a dead process left
            self.wake()

    def wake(self) -> None:
        """There may be something to do: call it after queueing a job."""
        with self._guard:
            if not self.is_alive and not self._closing.is_set():
                self._thread = threading.Thread(target=self._work, name="jobs-worker", daemon=True)
                self._thread.start()
        self._news.set()

    def close(self, timeout_s: float | None = None) -> bool:
        """End where the running job can go on from; it becomes interrupted. Returns whether the thread has ended."""
        self._closing.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
        return not self.is_alive

    def _work(self) -> None:
        while not self._closing.is_set():
            try:
                job = self._claim()
                if job is not None:
                    self._run(job)
                    continue
            except Exception:
                if self._store.is_closed:
                    return
                log.exception("the worker met an error and goes on")
                self._closing.wait(self._poll_s)
            self._news.wait(self._poll_s)
            self._news.clear()

    def _claim(self) -> Job | None:
        left_alone = self._left_alone()
        for leftover in [job for job in self._leftovers if job.kind not in left_alone]:
            self._leftovers.remove(leftover)
            if (job := self._store.jobs.claim(leftover.id)) is not None:
                return job
        return self._store.jobs.claim(except_kinds=sorted(left_alone))

    def _left_alone(self) -> set[str]:
        return TITLES.keys() - self._kinds.keys()

    def _run(self, job: Job) -> None:
        try:
            self._run_job(self._store, self._artifacts, self._kinds, job, is_closing=self._closing.is_set)
        except Exception as error:
            log.exception("running the job %s raised", job.id)
            self._store.jobs.set_state(job.id, "failed", f"an error of the studio ended it ({type(error).__name__})")
