"""The kind "export": a job that needs no model runs in the worker, tells its progress, is stopped, killed and gone on with."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.errors import InvalidInput
from engine.exchange.trace_json import FILE_NAME
from engine.jobs.export import ExportKind
from engine.jobs.running import queue_job, resume_job, run_in_foreground, run_job
from engine.jobs.worker import Worker
from engine.media import MediaFolder
from engine.store import Store
from tests.browser.traces import picture_trace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path):
    """(store, kind, folder) with four traces."""
    with Store(tmp_path / "annotations.db") as store:
        media = MediaFolder(tmp_path / "artifacts" / "media")
        for number in range(1, 5):
            picture_trace(store, media, number)
        yield store, ExportKind(store, media), tmp_path


def numbers(folder: Path) -> list[int]:
    return [json.loads(line)["studio"]["number"] for line in (folder / FILE_NAME).read_bytes().splitlines()]


def run(home, job, **options):
    store, kind, folder = home
    return run_job(store, folder / "artifacts", {kind.name: kind}, store.jobs.claim(job.id), **options)


class After:
    """Becomes true once `question` was asked `times` times."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_it_runs_in_the_worker_beside_kinds_that_it_leaves_alone(home):
    store, kind, folder = home
    strange, of_a_model = (store.jobs.create(name, {}, {}, {}) for name in ("dream", "sft"))
    job = queue_job(store, kind, kind.plan(folder / "out"))
    worker = Worker(store, folder / "artifacts", {kind.name: kind}, poll_s=0.02)
    worker.start()
    deadline = time.time() + 60
    while store.jobs.get(job.id).is_active and time.time() < deadline:
        time.sleep(0.02)
    assert worker.close(30)
    done = store.jobs.get(job.id)
    assert (done.state, done.progress) == ("done", 1.0)
    assert done.message == f"4 traces in {folder / 'out' / FILE_NAME}"
    assert numbers(folder / "out") == [1, 2, 3, 4]
    assert "kind 'dream'" in store.jobs.get(strange.id).message
    assert store.jobs.get(of_a_model.id).state == "queued"  # a studio with a model will run it


def test_attempts_that_are_one_row_of_the_queue_go_out_each(home):
    store, kind, folder = home
    media = MediaFolder(folder / "artifacts" / "media")
    for answer in ("KX0009", "KX0008"):
        picture_trace(store, media, 9, answer=answer, group_id="together")
    assert len(store.queue.page().items) == 5
    run(home, queue_job(store, kind, kind.plan(folder / "all", None)))
    assert numbers(folder / "all") == [1, 2, 3, 4, 5, 6]


def test_chosen_ones_go_out_alone_in_their_order_and_one_that_is_gone_is_left_out(home):
    store, kind, folder = home
    ids = [listed.item.id for listed in store.queue.page().items]
    plan = kind.plan(folder / "chosen", None, chosen=[ids[0], "gone", ids[2]])
    assert run(home, queue_job(store, kind, plan)).state == "done"
    assert numbers(folder / "chosen") == [4, 2]


def test_it_is_stopped_between_two_traces_and_goes_on_after_the_last(home, monkeypatch):
    store, kind, folder = home
    monkeypatch.setattr("engine.jobs.report._ASK_AGAIN_S", 0.0)
    job = queue_job(store, kind, kind.plan(folder / "out"))
    cut_off = run(home, job, is_closing=After(2))
    assert (cut_off.state, cut_off.message) == (
        "interrupted",
        "the studio was closed after 2 traces; it goes on at the next start",
    )
    assert not (folder / "out" / FILE_NAME).exists()
    (unfinished,) = (folder / "out").glob(".*.part")
    with unfinished.open("ab") as torn:  # as a kill in the middle of a line leaves it
        torn.write(b'{"version": 1, "id": "')
    written = [row for line in unfinished.read_bytes().splitlines()[:2] for row in json.loads(line)["rows"]]
    assert run(home, job).state == "done"
    assert numbers(folder / "out") == [1, 2, 3, 4]
    assert [json.loads(line) for line in (folder / "out" / FILE_NAME).read_bytes().splitlines()[:2]] == written
    assert not list((folder / "out").glob(".*.part"))


def test_a_person_stops_it_and_the_same_command_goes_on(home, monkeypatch):
    store, kind, folder = home
    monkeypatch.setattr("engine.jobs.report._ASK_AGAIN_S", 0.0)
    job = queue_job(store, kind, kind.plan(folder / "out"))
    asked = After(2)

    def stop_after_two() -> bool:
        if asked():
            store.jobs.request_stop(job.id)
        return False

    assert run(home, job, is_closing=stop_after_two).message == "stopped after 2 traces"
    out = io.StringIO()
    words = ["export", "trace-json", "--out", str(folder / "out")]
    assert main(words, {"STUDIO_HOME": str(folder)}, out) == 0
    assert out.getvalue() == f"4 traces in {folder / 'out' / FILE_NAME}\n"
    assert [one.id for one in store.jobs.list()] == [job.id]
    assert numbers(folder / "out") == [1, 2, 3, 4]


KILLED = """
import os, signal
from pathlib import Path
from engine.jobs.export import ExportKind
from engine.jobs.running import run_in_foreground
from engine.media import MediaFolder
from engine.store import Store
home = Path({home!r})
store = Store(home / "annotations.db")
class Dying(MediaFolder):
    def path(self, sha256):
        if sha256 == {last!r}:
            os.kill(os.getpid(), signal.SIGKILL)
        return MediaFolder.path(self, sha256)
kind = ExportKind(store, Dying(home / "artifacts" / "media"))
run_in_foreground(store, home / "artifacts", kind, kind.plan(home / "out"))
"""


def test_a_killed_process_finds_its_job_again(home):
    store, kind, folder = home
    last = store.queue.page(limit=1).items[0].item.media_sha256
    code = KILLED.format(home=str(folder), last=last)
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert not (folder / "out" / FILE_NAME).exists()
    (job,) = store.jobs.list("running")
    store.jobs.recover()
    assert run(home, job).state == "done"
    assert numbers(folder / "out") == [1, 2, 3, 4]


def test_what_cannot_be_says_why(home):
    store, kind, folder = home
    job = run_in_foreground(store, folder / "artifacts", kind, kind.plan(folder / "out", "accepted"))
    assert (job.state, numbers(folder / "out")) == ("done", [])
    with pytest.raises(InvalidInput, match="is there already"):
        kind.plan(folder / "out")
    lost = queue_job(store, kind, kind.plan(folder / "other"))
    kind.media.path(store.queue.page(limit=1).items[0].item.media_sha256).unlink()
    ended = run(home, lost)
    assert ended.state == "failed" and "There is no media" in ended.message
    (said,) = store.jobs.events(lost.id, kind="error")
    assert said.data["text"] == ended.message
    resume_job(store, lost.id)
    assert store.jobs.get(lost.id).state == "queued"
