from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from engine.errors import Conflict, NotFound
from engine.store import Job, Store
from engine.store.jobs import JOB_STATES, TRANSITIONS
from engine.store.owners import Owner, this_process

from .samples import make_trace


def make_job(store: Store, **config: object) -> Job:
    return store.jobs.create("sft", config, {"seed": 7}, {"torch": "2.14"})


def force(store: Store, job: Job, state: str, owner: Owner | None = None, heartbeat_at: float | None = None) -> None:
    with store.transaction() as db:
        db.execute(
            "UPDATE jobs SET state = ?, owner = coalesce(?, owner), heartbeat_at = coalesce(?, heartbeat_at) "
            "WHERE id = ?",
            [state, None if owner is None else owner.as_text(), heartbeat_at, job.id],
        )


def test_a_job_snapshots_what_it_was_made_of(store: Store) -> None:
    heads = [store.traces.record(make_trace(answer=str(k)), author="tiny").head_id for k in range(3)]
    job = store.jobs.create("sft", {"rate": 1e-4, "steps": 3}, [1, 2], {"torch": "2.14"}, heads[::-1])
    assert job == store.jobs.get(job.id)
    assert (job.config, job.seeds, job.versions) == ({"rate": 1e-4, "steps": 3}, [1, 2], {"torch": "2.14"})
    assert (job.revision_count, store.jobs.revision_ids(job.id)) == (3, tuple(heads[::-1]))
    assert (job.state, job.progress, job.owner, job.is_active) == ("queued", 0.0, None, True)
    with pytest.raises(NotFound):
        store.jobs.create("sft", {}, 0, {}, ["nothing"])
    assert store.jobs.list() == [job], "a job that could not be made whole is not there at all"


@pytest.mark.parametrize(("before", "after"), itertools.product(JOB_STATES, JOB_STATES))
def test_states_change_only_along_the_arrows(store: Store, before: str, after: str) -> None:
    job = make_job(store)
    force(store, job, before)
    if after in TRANSITIONS[before]:
        assert store.jobs.set_state(job.id, after, "so").state == after
        assert store.jobs.get(job.id).message == "so"
    else:
        with pytest.raises(Conflict, match=before):
            store.jobs.set_state(job.id, after)
        assert store.jobs.get(job.id).state == before


def test_a_run_from_queue_to_done(store: Store) -> None:
    job = make_job(store)
    claimed = store.jobs.claim()
    assert claimed is not None and claimed.id == job.id
    assert (claimed.state, claimed.owner) == ("running", this_process()) and claimed.started_at is not None
    assert store.jobs.claim() is None
    store.jobs.heartbeat(job.id, 0.5, "half")
    assert (store.jobs.get(job.id).progress, store.jobs.get(job.id).message) == (0.5, "half")
    done = store.jobs.set_state(job.id, "done", "all good")
    assert (done.progress, done.is_active) == (1.0, False) and done.finished_at is not None
    store.jobs.heartbeat(job.id, 0.1)
    assert store.jobs.get(job.id).progress == 1.0, "a late heartbeat changes nothing"
    assert store.jobs.list("done") == [store.jobs.get(job.id)] and store.jobs.list("queued") == []


def test_stop_requests(store: Store) -> None:
    waiting, running = make_job(store), make_job(store)
    assert store.jobs.request_stop(waiting.id).state == "stopped"
    assert store.jobs.claim().id == running.id
    assert not store.jobs.is_stop_requested(running.id)
    assert store.jobs.request_stop(running.id, "by ann").state == "stopping"
    assert store.jobs.request_stop(running.id).state == "stopping"
    assert store.jobs.is_stop_requested(running.id)
    assert store.jobs.set_state(running.id, "stopped").state == "stopped"
    assert store.jobs.request_stop(running.id).state == "stopped"
    again = store.jobs.set_state(running.id, "queued")
    assert (again.owner, again.finished_at) == (None, None)
    assert store.jobs.claim().started_at == store.jobs.get(running.id).started_at


def test_events_are_polled_without_gap(store: Store) -> None:
    job, other = make_job(store), make_job(store)
    first = store.jobs.add_event(job.id, 1, "metric", {"loss": 0.5, "rate": 1e-4})
    store.jobs.add_event(other.id, 1, "metric", {"loss": 9.0})
    second = store.jobs.add_event(job.id, 2, "metric", {"loss": float("nan"), "norms": [float("inf"), 1]})
    third = store.jobs.add_event(job.id, None, "log", {"text": "done"})
    assert [e.id for e in store.jobs.events(job.id)] == [first, second, third]
    assert [(e.step, e.kind, e.data) for e in store.jobs.events(job.id, after_id=first)] == [
        (2, "metric", {"loss": None, "norms": [None, 1]}),
        (None, "log", {"text": "done"}),
    ]
    assert [e.id for e in store.jobs.events(job.id, kind="log")] == [third]
    assert store.jobs.events(job.id, after_id=third) == []
    rows = store.connections.rows("SELECT metric, value FROM job_metrics WHERE job_id = ? AND step = 1", (job.id,))
    assert {row["metric"]: row["value"] for row in rows} == {"loss": 0.5, "rate": 1e-4}


def test_eight_threads_claim_each_job_once(store: Store) -> None:
    jobs = {make_job(store).id for _ in range(40)}
    claimed: list[str] = []

    def work() -> None:
        while (job := store.jobs.claim()) is not None:
            claimed.append(job.id)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(claimed) == sorted(jobs)


def _work_in_process(path: Path, said: multiprocessing.Queue, seconds: float) -> None:
    with Store(path) as store:
        job = store.jobs.claim()
        said.put(job.id)
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            if store.jobs.is_stop_requested(job.id):
                store.jobs.set_state(job.id, "stopped", "as asked")
                said.put("stopped")
                return
            time.sleep(0.01)


def test_a_stop_is_seen_by_a_worker_in_another_process_and_a_killed_worker_is_found(store: Store) -> None:
    context = multiprocessing.get_context("spawn")
    said = context.Queue()
    stopped, killed = make_job(store), make_job(store)

    worker = context.Process(target=_work_in_process, args=(store.path, said, 60))
    worker.start()
    assert said.get(timeout=180) == stopped.id
    assert store.jobs.recover(stale_after_s=0) == [], "a living process is alive, however old its heartbeat"
    store.jobs.request_stop(stopped.id)
    assert said.get(timeout=180) == "stopped"
    worker.join(30)
    assert store.jobs.get(stopped.id).message == "as asked"

    worker = context.Process(target=_work_in_process, args=(store.path, said, 60))
    worker.start()
    assert said.get(timeout=180) == killed.id
    os.kill(worker.pid, signal.SIGKILL)
    worker.join(30)
    assert [job.id for job in store.jobs.recover()] == [killed.id]
    assert store.jobs.get(killed.id).state == "interrupted"
    assert store.jobs.recover() == []
    resumed = store.jobs.claim(killed.id)
    assert resumed is not None and (resumed.state, resumed.owner) == ("running", this_process())


def test_recovery_by_heartbeat_where_the_process_cannot_be_asked(store: Store) -> None:
    here = this_process()
    elsewhere = Owner("another machine", "another boot", here.pid, here.began)
    fresh, stale = make_job(store), make_job(store)
    force(store, fresh, "running", elsewhere, time.time())
    force(store, stale, "stopping", elsewhere, time.time() - 1000)
    assert [job.id for job in store.jobs.recover(stale_after_s=60)] == [stale.id]
    assert store.jobs.is_stop_requested(fresh.id), "it is not this process's job"


def test_a_reused_process_number_and_an_earlier_boot_are_dead(store: Store) -> None:
    here = this_process()
    if not here.began:
        pytest.skip("this system does not tell when a process began")
    reused, rebooted, own = make_job(store), make_job(store), make_job(store)
    force(store, reused, "running", Owner(here.host, here.boot, os.getppid(), "1"), time.time())
    force(store, rebooted, "running", Owner(here.host, "earlier", here.pid, here.began), time.time())
    store.jobs.claim(own.id)
    assert {job.id for job in store.jobs.recover()} == {reused.id, rebooted.id}
    assert [job.id for job in store.jobs.recover(is_own_worker_idle=True)] == [own.id]


def test_unknown_jobs(store: Store) -> None:
    with pytest.raises(NotFound):
        store.jobs.get("nothing")
    with pytest.raises(NotFound):
        store.jobs.request_stop("nothing")
    assert store.jobs.claim("nothing") is None
    assert store.jobs.is_stop_requested("nothing")
    with pytest.raises(ValueError):
        store.jobs.heartbeat(make_job(store).id, 1.5)


def test_a_worker_that_finds_nothing_waits_for_no_writer(store: Store) -> None:
    found: list[Job | None] = []
    looking = threading.Thread(target=lambda: found.append(store.jobs.claim()))
    with store.transaction():
        looking.start()
        looking.join(10)
        assert found == [None]
