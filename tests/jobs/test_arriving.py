"""The kind "import" with a file of another program: stopped and gone on with, nothing twice, refusals with their reasons."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput, NotFound
from engine.exchange.leaving import export
from engine.exchange.trace_json import FILE_NAME, TRACE_JSON
from engine.jobs.importing import ImportKind, Tally, bad_rows, tally
from engine.jobs.running import queue_job, run_in_foreground, run_job
from engine.media import MediaFolder
from engine.store import Store
from tests.browser.traces import picture_trace

from .test_export import After


@pytest.fixture
def brought(tmp_path):
    """A folder with four traces, and between them two lines that are none."""
    with Store(tmp_path / "theirs.db") as store:
        media = MediaFolder(tmp_path / "their-media")
        for seed in range(4):
            picture_trace(store, media, seed, size=(96, 64))
        export(store, media, TRACE_JSON, tmp_path / "out")
    file = tmp_path / "out" / FILE_NAME
    first, second, *rest = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([first, b"{\n", second, b"7\n", *rest]))
    return tmp_path / "out"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr("engine.jobs.report._ASK_AGAIN_S", 0.0)
    with Store(tmp_path / "annotations.db") as store:
        yield store, ImportKind(store, MediaFolder(tmp_path / "artifacts" / "media")), tmp_path


def test_it_is_stopped_between_two_rows_and_goes_on_behind_the_last(home, brought):
    store, kind, folder = home
    job = queue_job(store, kind, kind.plan_format("trace-json", brought))

    def run(**options):
        claimed = store.jobs.claim(job.id)
        return run_job(store, folder / "artifacts", {kind.name: kind}, claimed, **options)

    cut_off = run(is_closing=After(2))
    assert cut_off.state == "interrupted" and "after 2 rows: 1 trace came in, 1 row could not" in cut_off.message
    assert tally(store, job.id) == Tally(2, 1, 0, 1)
    done = run()
    assert (done.state, done.message) == ("done", "3 traces came in, 1 row could not")
    assert tally(store, job.id) == Tally(6, 4, 0, 2)
    assert [(row, reason.split(" (")[0]) for row, _, reason in bad_rows(store, job.id)] == [
        (2, "it is no JSON"),
        (4, "an object is expected, not 7"),
    ]
    again = run_in_foreground(store, folder / "artifacts", kind, kind.plan_format("trace-json", brought))
    assert again.message == "nothing came in, 4 were there already, 2 rows could not"
    assert store.traces.counts()["new"] == 4 and store.verify(kind.media).problems == ()


def test_what_cannot_be_says_why(home, tmp_path):
    store, kind, folder = home
    with pytest.raises(InvalidInput, match="no format 'excel'"):
        kind.plan_format("excel", tmp_path)
    with pytest.raises(InvalidInput, match="can be exported, not imported"):
        kind.plan_format("preference", tmp_path)
    with pytest.raises(NotFound, match="there is no file or folder"):
        kind.plan_format("atif", tmp_path / "nowhere")
    (tmp_path / "empty.jsonl").write_bytes(b"")
    job = run_in_foreground(store, folder / "artifacts", kind, kind.plan_format("trace-json", tmp_path / "empty.jsonl"))
    assert (job.state, job.message) == ("failed", "there is no row to bring in")
