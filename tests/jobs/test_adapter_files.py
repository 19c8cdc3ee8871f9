"""An adapter as files for others: its weights, the base by its name, a card with its figures, and no path of this disk."""

from __future__ import annotations

import io
import json

import pytest

from engine.__main__ import main
from engine.errors import InvalidInput, Unavailable
from engine.jobs.adapter_files import adapter_card, write_adapter
from engine.jobs.adapter_sending import MergeKind, PushAdapterKind, merged_folder
from engine.jobs.running import run_in_foreground
from engine.store import Store
from tests.jobs.test_promotion import examined
from tests.jobs.test_push import hub  # noqa: F401


@pytest.fixture
def home(tmp_path):
    """A home with an adapter of a run that was measured."""
    folder = tmp_path / "artifacts" / "adapters" / "new"
    folder.mkdir(parents=True)
    (folder / "adapter_model.safetensors").write_bytes(b"weights")
    (folder / "adapter_config.json").write_text(json.dumps({"r": 4, "base_model_name_or_path": str(tmp_path / "base")}))
    with Store(tmp_path / "annotations.db") as store:
        examined(store, [0] * 8 + [1] * 2, [1] * 10)
    return tmp_path


def told(home, *words):
    out = io.StringIO()
    status = main(["adapter", *words], {"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted"}, out)
    return status, out.getvalue()


def test_files_name_the_base_and_what_came_of_it_and_no_path(home, tmp_path):
    status, text = told(home, "files", "new", "--out", str(tmp_path / "out"))
    assert status == 0 and text == f"wrote new to {tmp_path / 'out'}\n"
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert set(written) == {"README.md", "adapter_config.json", "adapter_model.safetensors"}
    assert json.loads(written["adapter_config.json"])["base_model_name_or_path"] == "tiny"
    card = written["README.md"].decode()
    assert "| before | 20.0% |" in card and "10 examples: better by" in card and "# new" in card
    assert not any(str(tmp_path).encode() in content for content in written.values())


def test_what_is_not_there_is_said(home, tmp_path, capsys):
    assert told(home, "files", "other", "--out", str(tmp_path / "out"))[0] == 2
    assert "those of this studio are: 'new'" in capsys.readouterr().err
    assert told(home, "files", "--out", str(tmp_path / "out"))[0] == 2
    assert "no adapter answers" in capsys.readouterr().err
    assert told(home, "merge", "new", "--out", str(home))[0] == 2
    assert "exists already" in capsys.readouterr().err
    assert json.loads(told(home, "list", "--json")[1])["words"].startswith("better by")
    with Store(home / "annotations.db") as store:
        (adapter,) = store.adapters.list()
        discarded = store.adapters.set_metrics(adapter.id, {"is_discarded": True})
        with pytest.raises(Unavailable, match="are gone"):
            write_adapter(store, home / "artifacts", discarded, tmp_path / "out")
        assert "# new" in adapter_card(store, discarded)


def test_it_is_pushed_as_a_private_model(home, hub):  # noqa: F811
    status, text = told(home, "push", "new", "--repo", "ann/eyes")
    assert (status, text) == (0, f"pushed new to {hub.endpoint}/ann/eyes\n")
    assert hub.repos["ann/eyes"]["private"]
    assert (hub.files("ann/eyes") / "adapter_model.safetensors").read_bytes() == b"weights"


def test_a_job_pushes_it_as_the_command_does(home, hub):  # noqa: F811
    with Store(home / "annotations.db") as store:
        kind = PushAdapterKind(store, home / "artifacts")
        (adapter,) = store.adapters.list()
        with pytest.raises(InvalidInput, match="OWNER/NAME"):
            kind.plan(adapter.id, "eyes")
        job = run_in_foreground(store, home / "artifacts", kind, kind.plan(adapter.id, "ann/eyes", is_public=True))
    assert (job.state, job.message) == ("done", f"pushed new to {hub.endpoint}/ann/eyes")
    assert not hub.repos["ann/eyes"]["private"]
    assert (hub.files("ann/eyes") / "README.md").read_text().startswith("---\nlibrary_name: peft")


def test_a_merge_that_cannot_be_says_why_and_leaves_nothing(home):
    with Store(home / "annotations.db") as store:
        (adapter,) = store.adapters.list()
        kind = MergeKind(store, home / "artifacts", str(home / "no model"))
        job = run_in_foreground(store, home / "artifacts", kind, kind.plan(adapter.id))
        assert job.state == "failed" and "no model" in job.message
        assert not merged_folder(home / "artifacts", adapter.id).exists()
