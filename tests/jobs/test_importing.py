"""The kind "import": stopped, killed and gone on with, nothing twice, nothing half, and every refused row with its reason."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.errors import InvalidInput
from engine.importing.sources import Source
from engine.jobs.importing import ImportKind, bad_rows, tally
from engine.jobs.running import queue_job, run_in_foreground, run_job
from engine.media import MediaFolder
from engine.store import Store
from tests.importing.conftest import brought, png, rows, write_csv  # noqa: F401

from .test_export import After

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path):
    with Store(tmp_path / "annotations.db") as store:
        yield store, ImportKind(store, MediaFolder(tmp_path / "artifacts" / "media")), tmp_path


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch):
    monkeypatch.setattr("engine.jobs.importing._ROWS_AT_ONCE", 4)
    monkeypatch.setattr("engine.jobs.report._ASK_AGAIN_S", 0.0)


def run(home, job, **options):
    store, kind, folder = home
    return run_job(store, folder / "artifacts", {kind.name: kind}, store.jobs.claim(job.id), **options)


def imported(store: Store, name: str = "brought") -> list[str | None]:
    return [one.original_id for one in store.examples.all_of(name)]


def test_what_is_brought_comes_in_once(home, brought):  # noqa: F811
    store, kind, folder = home
    source = Source(str(brought(10)))
    done = run_in_foreground(store, folder / "artifacts", kind, kind.plan(source))
    assert (done.state, done.progress) == ("done", 1.0)
    assert done.message == "10 examples came in; the data set is 'brought'"
    assert imported(store) == [row["id"] for row in rows(10)]
    first = next(store.examples.all_of("brought"))
    assert (first.example.source, first.file_names) == ("brought/q0", ("pictures/0.png",))
    assert kind.media.path(first.example.media[0].sha256).read_bytes() == png(0)
    again = run_in_foreground(store, folder / "artifacts", kind, kind.plan(source))
    assert again.message == "0 examples came in, 10 were there already; the data set is 'brought'"
    assert len(imported(store)) == 10 and store.verify(kind.media).is_sound


def test_refused_rows_stay_with_the_job_and_the_rest_comes_in(home, brought):  # noqa: F811
    store, kind, folder = home
    place = brought(10)
    (place / "pictures" / "3.png").write_bytes(b"no picture")
    (place / "pictures" / "5.png").unlink()
    table = [*rows(10), {"id": "late", "image": "pictures/0.png", "question": " ", "answer": ""}]
    write_csv(place / "QUESTIONS.csv", table)
    done = run_in_foreground(store, folder / "artifacts", kind, kind.plan(Source(str(place))))
    assert done.message == "8 examples came in, 3 rows could not; the data set is 'brought'"
    refused = list(bad_rows(store, done.id))
    assert [(row, original_id) for row, original_id, _ in refused] == [(4, "q3"), (6, "q5"), (11, "late")]
    assert [
        word in reason for word, (_, _, reason) in zip(("accepted", "no file", "no question"), refused, strict=True)
    ]
    out = io.StringIO()
    words = ["import", "csv", str(place / "QUESTIONS.csv"), "--set", "other", "--json"]
    assert main(words, {"STUDIO_HOME": str(folder)}, out) == 0
    *listed, told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(one["row"], one["reason"]) for one in listed] == [(row, reason) for row, _, reason in refused]
    assert told == {"data_set": "other", "state": "done", "added": 8, "known": 0, "refused": 3}


def test_a_stopped_import_goes_on_behind_its_last_row_by_the_same_command(home, brought):  # noqa: F811
    store, kind, folder = home
    source = Source(str(brought(10)))
    job = queue_job(store, kind, kind.plan(source))
    asked = After(5)

    def stop() -> bool:
        if asked():
            store.jobs.request_stop(job.id)
        return False

    stopped = run(home, job, is_closing=stop)
    assert (stopped.state, stopped.message) == ("stopped", "stopped after 6 rows: 6 examples came in")
    assert 0 < stopped.progress < 1 and len(imported(store)) == 6
    out = io.StringIO()
    assert main(["import", "auto", source.path], {"STUDIO_HOME": str(folder)}, out) == 0
    assert out.getvalue() == "10 examples came in; the data set is 'brought'\n"
    assert [one.id for one in store.jobs.list()] == [job.id] and len(imported(store)) == 10


KILLED = """
import os, signal
from pathlib import Path
import engine.jobs.importing as importing
from engine.importing.sources import Source
from engine.jobs.running import run_in_foreground
from engine.media import MediaFolder
from engine.store import Store
home = Path({home!r})
store = Store(home / "annotations.db")
importing._ROWS_AT_ONCE = 4
class Dying(MediaFolder):
    def receive(self, source):
        media = MediaFolder.receive(self, source)
        if str(source).endswith("/25.png"):
            os.kill(os.getpid(), signal.SIGKILL)
        return media
importing.MediaFolder = Dying
kind = importing.ImportKind(store, MediaFolder(home / "artifacts" / "media"))
run_in_foreground(store, home / "artifacts", kind, kind.plan(Source({path!r})))
"""


def test_a_killed_import_leaves_nothing_half_and_goes_on(home, brought):  # noqa: F811
    store, kind, folder = home
    place = brought(30)
    (place / "pictures" / "1.png").unlink()
    code = KILLED.format(home=str(folder), path=str(place))
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    [job] = store.jobs.list("running")
    before = tally(store, job.id)
    assert 4 <= before.rows <= 24 and before.rows % 4 == 0
    assert (before.added, before.refused) == (before.rows - 1, 1) and len(imported(store)) == before.added
    assert store.verify(kind.media).is_sound
    store.jobs.recover()
    assert run(home, job).message == "29 examples came in, 1 row could not; the data set is 'brought'"
    assert [row for row, _, _ in bad_rows(store, job.id)] == [2]
    assert imported(store) == [row["id"] for row in rows(30) if row["id"] != "q1"]


def test_what_came_from_a_browser_goes_when_it_is_in(home, brought):  # noqa: F811
    store, kind, folder = home
    incoming = folder / "artifacts" / "incoming" / "x"
    incoming.parent.mkdir(parents=True)
    shutil.move(brought(2), incoming)
    (folder / "secret.png").write_bytes(png(7))
    write_csv(incoming / "QUESTIONS.csv", [*rows(2), {**rows(3)[2], "image": str(folder / "secret.png")}])
    plan = kind.plan(Source(str(incoming), is_confined=True), "sent", incoming=str(incoming))
    done = run_in_foreground(store, folder / "artifacts", kind, plan)
    assert done.message == "2 examples came in, 1 row could not; the data set is 'sent'"
    assert not incoming.exists() and imported(store, "sent") == ["q0", "q1"]


def test_what_must_be_said_first_is_asked_for(home, brought):  # noqa: F811
    _, kind, _ = home
    place = brought(2)
    write_csv(place / "QUESTIONS.csv", [{"image": "pictures/0.png", "question": "?", "A": "x", "B": "y", "answer": 1}])
    source = Source(str(place))
    with pytest.raises(InvalidInput, match="from 0 or from 1"):
        kind.plan(source)
    assert kind.plan(source, said={"answer_counts_from": 0}).config["columns"]["answer_counts_from"] == 0
    for said, sentence in (
        ({"question": None}, "hold the question"),
        ({"media": []}, "name a picture"),
        ({"question": "x"}, "has no column"),
    ):
        with pytest.raises(InvalidInput, match=sentence):
            kind.plan(source, said={"answer_counts_from": 0, **said})
