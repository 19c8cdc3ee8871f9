"""One thread that runs training jobs one after another, outside Gradio's queue: it outlives every tab.

The idea: the store is the queue. The worker first takes up what a dead process left behind, then whatever is queued,
oldest first; `close` lets the running step finish, and the next start goes on from there.

Invariants: one job at a time; no exception ends the thread, and a thread that ended all the same is started again by the
next `wake`; jobs of kinds that nobody here runs are failed with a sentence. Not covered: what a job does
(`engine.training.jobs`).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

from engine.store import Job, Store

__all__ = ["Runner", "Worker"]

Runner = Callable[[Job, Callable[[], bool]], Job]
"""runner(claimed job, is_closing) -> the job as it ended."""

log = logging.getLogger(__name__)


class Worker:
    """Runs the jobs of `store` with the runner of their kind, e.g. {"sft": lambda job, is_closing: run_job(...)}."""

    def __init__(self, store: Store, runners: Mapping[str, Runner], poll_s: float = 2.0) -> None:
        self._store = store
        self._runners = dict(runners)
        self._poll_s = poll_s
        self._news = threading.Event()
        self._closing = threading.Event()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._leftovers: list[str] = []
        self._current: str | None = None

    @property
    def current_job_id(self) -> str | None:
        """The job that is being run now."""
        return self._current

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
        again = [job for job in interrupted if job.id not in stopping]
        self._leftovers = [job.id for job in again]
        self.wake()
        return again

    def wake(self) -> None:
        """There may be something to do: call it after queueing a job."""
        with self._guard:
            if not self.is_alive and not self._closing.is_set():
                self._thread = threading.Thread(target=self._work, name="training-worker", daemon=True)
                self._thread.start()
        self._news.set()

    def close(self, timeout_s: float | None = None) -> bool:
        """End after the running job's current step; the job becomes interrupted. Returns whether the thread has ended."""
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
                log.exception("the training worker met an error and goes on")
                self._closing.wait(self._poll_s)
            self._news.wait(self._poll_s)
            self._news.clear()

    def _claim(self) -> Job | None:
        while self._leftovers:
            if (job := self._store.jobs.claim(self._leftovers.pop(0))) is not None:
                return job
        return self._store.jobs.claim()

    def _run(self, job: Job) -> None:
        runner = self._runners.get(job.kind)
        if runner is None:
            known = ", ".join(sorted(self._runners)) or "none"
            self._store.jobs.set_state(
                job.id, "failed", f"this studio cannot run jobs of kind {job.kind!r} (only {known})"
            )
            return
        self._current = job.id
        try:
            runner(job, self._closing.is_set)
        except Exception as error:
            log.exception("the runner of the job %s raised", job.id)
            self._store.jobs.set_state(job.id, "failed", f"an error of the studio ended it ({type(error).__name__})")
        finally:
            self._current = None
