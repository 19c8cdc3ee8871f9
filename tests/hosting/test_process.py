"""The studio's process as a machine that runs it sees it: asked to end, ended in time, and nothing of what went on is lost."""

from __future__ import annotations

import io
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from PIL import Image

from engine.evaluation.sources import source_named
from engine.jobs.asking import Asked
from engine.jobs.collect import CollectKind
from engine.jobs.running import queue_job
from engine.lab.bench.running import RunningStudio
from engine.media import MediaFolder
from engine.settings import Settings
from engine.store import Store
from tests.jobs.attempting import GuessingPolicy, examples_file, services_of
from tests.policies.stand_in import MODEL, StandIn, serve


def until(holds: Callable[[], object], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def test_a_studio_that_is_stopped_and_begins_on_an_empty_disk_has_lost_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Meanwhile a second studio on its home is refused, and the answer and the job under way are kept."""
    from gradio_client import Client

    import app

    home, backup = tmp_path / "home", str(tmp_path / "bucket")
    home.mkdir()
    with serve(StandIn()) as stand_in:
        settings = {"STUDIO_MODEL": f"openai:{stand_in.url}#{MODEL}", "STUDIO_BACKUP": backup}
        studio = RunningStudio(home, **settings).start()
        try:
            until(lambda: httpx.get(f"{studio.url}/health").json()["is_ready"])
            stand_in.delay_s, said_before = 60.0, len(stand_in.asked)
            with studio.store() as store:
                kind = CollectKind(services_of(store, home, GuessingPolicy(name=MODEL.partition("/")[2])))
                source = source_named(str(examples_file(tmp_path / "mine", 2, "red")), store)
                job = queue_job(store, kind, kind.plan(source, Asked()))
            for name, value in (settings | {"STUDIO_HOME": str(home), "STUDIO_PORT": "0"}).items():
                monkeypatch.setenv(name, value)
            assert app.main() == 2
            refused = capsys.readouterr().err
            assert f"is in use by another studio (process {studio.pid} on " in refused and studio.url in refused

            picture = io.BytesIO()
            Image.new("RGB", (64, 48), "red").save(picture, "PNG")
            sent = httpx.post(f"{studio.url}/media", content=picture.getvalue(), headers={"X-File-Name": "a.png"})
            client = Client(studio.url, verbose=False)
            client.submit("Which colour?", [sent.json()["sha256"]], api_name="/ask")
            until(lambda: len(stand_in.asked) >= said_before + 3)  # both of the job, and ours
            began = time.monotonic()
            status = studio.signal(signal.SIGTERM, timeout_s=30)
            assert (status, time.monotonic() - began < 10) == (0, True)
        finally:
            studio.kill()
        assert "Traceback" not in studio.log.read_text()
        assert what_is_there(home, job.id) == ("interrupted", "cancelled", True)
        shutil.rmtree(home)
        home.mkdir()
        restored = app._restore(Settings.from_environment(settings | {"STUDIO_HOME": str(home)}))
        assert restored is not None and restored.number >= 2
        assert what_is_there(home, job.id) == ("interrupted", "cancelled", True)


def what_is_there(home: Path, job_id: str) -> tuple[str, str, bool]:
    """The state of the job, how the question ended, whether all is sound."""
    with Store(home / "annotations.db") as store:
        heads = [store.revisions.head(trace_id).trace for trace_id in store.traces.ids()]
        [asked] = [head for head in heads if head.question == "Which colour?"]
        is_sound = store.verify(MediaFolder(home / "artifacts" / "media")).is_sound
        return store.jobs.get(job_id).state, asked.stop_reason, is_sound
