"""A run as a folder: made, run in an empty one, taken back; sent to a stand-in of the Hub as a job, and fetched."""

from __future__ import annotations

import io
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.media import MediaFolder
from engine.store import Adapter, Store
from tests.browser.traces import picture_trace
from tests.exchange.hub_server import TOKEN, hub_in_use

REPO = "ann/runs"
ONE_STEP = {"steps": 1, "rank": 2}
RUNS = {
    "sft": ONE_STEP | {"batch_size": 1},
    "dpo": ONE_STEP | {"batch_size": 1},
    "grpo": ONE_STEP | {"queries_a_step": 1, "rollouts": 2, "micro_batch_size": 2, "max_turns": 1, "max_tokens": 4},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """One accepted attempt, whose answer is known, and a worse one at the same question, which nobody accepted."""
    home = tmp_path_factory.mktemp("home")
    media = MediaFolder(home / "artifacts" / "media")
    with Store(home / "annotations.db") as store:
        better = picture_trace(store, media, 1, size=(120, 90))
        worse = picture_trace(store, media, 1, size=(120, 90), answer="WRONG", score=0.0)
        store.reviews.record(better.head_id, "ann", "accepted")
        store.preferences.record(better.head_id, worse.head_id, "ann")
    return home


@pytest.fixture(scope="module")
def settings(random_model) -> Mapping[str, str]:
    model = str(random_model("qwen3_vl"))
    return {"STUDIO_MODEL": model, "STUDIO_DEVICE": "cpu", "STUDIO_PROTOCOL": "studio", "STUDIO_THREADS": "1"}


def call(settings: Mapping[str, str], home: Path, *words: str) -> tuple[int, str]:
    out = io.StringIO()
    return main(["bundle", *words], {**settings, "STUDIO_HOME": str(home)}, out), out.getvalue()


def made(settings, home: Path, folder: Path, kind: str, name: str, **more) -> dict:
    config = folder.with_suffix(".json")
    config.write_text(json.dumps({"name": name, kind: RUNS[kind] | more, "evaluation": None}))
    status, printed = call(settings, home, "make", "--kind", kind, "--config", str(config), "--out", str(folder))
    assert status == 0, printed
    return json.loads((folder / "bundle.json").read_text())


def named(home: Path, name: str) -> Adapter:
    with Store(home / "annotations.db") as store:
        (adapter,) = [one for one in store.adapters.list() if one.name == name]
    assert (home / "artifacts" / adapter.path / "adapter_model.safetensors").is_file()
    return adapter


@pytest.mark.parametrize("kind", ["dpo", "grpo"])  # sft goes through the Hub, below
def test_a_bundle_runs_in_an_empty_folder_and_comes_back_as_an_adapter(kind, home, settings, tmp_path, capsys):
    told = made(settings, home, tmp_path / "bundle", kind, f"{kind} from afar")
    assert told["kind"] == kind and ":" in told["backbone"]["hash"]
    elsewhere, result = tmp_path / "unused", str(tmp_path / "result")
    status, printed = call(settings, elsewhere, "run", str(tmp_path / "bundle"), "--out", result)
    assert status == 0, printed
    assert "step 1: " in printed and not elsewhere.exists()
    assert call(settings, home, "take", result)[0] == 0
    adapter = named(home, f"{kind} from afar")
    assert (adapter.base_hash, adapter.metrics["steps"]) == (told["backbone"]["hash"], 1)

    told["backbone"]["hash"] = "sha256:0"
    (tmp_path / "bundle" / "bundle.json").write_text(json.dumps(told))
    refused = call(settings, elsewhere, "run", str(tmp_path / "bundle"), "--out", str(tmp_path / "more"))
    assert refused == (2, "") and "(different: hash)" in capsys.readouterr().err


@pytest.fixture
def hub(tmp_path, monkeypatch):
    with hub_in_use(tmp_path / "hub", monkeypatch) as server:
        yield server


def test_a_bundle_is_sent_runs_once_as_a_job_and_is_fetched(home, settings, hub, tmp_path, capsys, caplog):
    bundle = tmp_path / "bundle"
    told = made(settings, home, bundle, "sft", "by a job")

    def remote(act: str, *words: str) -> tuple[int, str]:
        return call(settings, home, act, str(bundle), "--repo", REPO, *words)

    assert remote("send") == (2, "") and "put it on the Hub" in capsys.readouterr().err
    (bundle / "bundle.json").write_text(json.dumps(told | {"model": "ann/base"}))
    planned = remote("send", "--plan", "--hardware", "t4-small")[1].splitlines()
    assert planned[0].startswith(f"would make the private data set {REPO}") and "t4-small" in planned[2]
    assert hub.repos == {} and hub.jobs == []
    assert remote("fetch")[0] == 2 and "send it to ann/runs first" in capsys.readouterr().err

    sent = remote("send", "--hardware", "t4-small")[1].splitlines()
    assert [f"would {one}" for one in sent[:3]] == planned and sent[3].startswith("job job0: ")
    assert hub.repos[REPO]["private"] and "job0 is SCHEDULING" in remote("send")[1] and len(hub.jobs) == 1
    assert remote("fetch")[0] == 2 and "job job0 is SCHEDULING" in capsys.readouterr().err
    (job,) = hub.jobs
    assert (job["flavor"], job["timeoutSeconds"], job["secrets"]) == ("t4-small", 6 * 3600, {"HF_TOKEN": TOKEN})
    assert job["environment"] == {
        "STUDIO_MODEL": "ann/base",
        "STUDIO_QUANTIZATION": "4bit",
        "STUDIO_PROTOCOL": "studio",
    }

    run_as_the_hub_would(job, hub, settings, tmp_path / "machine")
    job["status"]["stage"] = "COMPLETED"
    assert "fetch what comes of it" in remote("send")[1] and len(hub.jobs) == 1
    assert remote("fetch")[0] == 0
    assert named(home, "by a job").base_hash == told["backbone"]["hash"]
    assert remote("send", "--again")[1].splitlines()[3].startswith("job job1: ")

    files = [path for path in hub.folder.rglob("*") if path.is_file()]
    told_anywhere = [json.dumps([one | {"secrets": None} for one in hub.jobs]), caplog.text, capsys.readouterr().err]
    assert not any(TOKEN.encode() in path.read_bytes() for path in files) and TOKEN not in "".join(told_anywhere)


def run_as_the_hub_would(job, hub, settings, machine: Path) -> None:
    """The job's own lines, in an empty folder: what is mounted is read where it lies, nothing is installed, and the base is where
    the Hub would have brought it from."""
    (mounted,) = job["volumes"]
    sent = hub.files(mounted["source"]) / mounted["path"]
    machine.mkdir()
    shell, flag, script = job["command"]
    assert (shell, flag) == ("sh", "-c") and mounted["type"] == "dataset"
    *unpacking, installing, training = (
        script.replace("$(mktemp -d)", str(machine)).replace("/sent", str(sent)).splitlines()
    )
    subprocess.run([shell, flag, "\n".join(unpacking)], check=True)
    assert installing.endswith("-r requirements.txt") and "torch" in (machine / "requirements.txt").read_text()
    assert (machine / "engine" / "__main__.py").read_bytes() == Path(main.__code__.co_filename).read_bytes()
    assert (machine / "engine" / "embedded" / "weights" / "model.safetensors").is_file()
    words = training.removeprefix("python -m engine bundle ").split()
    words = [str(machine / word) if word in ("bundle", "result") else word for word in words]
    assert call(settings, machine / "unused", *words)[0] == 0
