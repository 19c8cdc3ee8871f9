"""A Space by one command, on a stand-in of the Hub: said first, done once, mended where somebody changed it by hand."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.__main__ import main
from engine.hosting.space import Found, plan, read_declared
from tests.exchange.hub_server import HubServer, hub_in_use

SPACE = "ann/studio"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    with hub_in_use(tmp_path / "hub", monkeypatch) as server:
        yield server


def deploy(*words: str) -> list[str]:
    out = io.StringIO()
    assert main(["space", "deploy", SPACE, *words], {}, out) == 0
    return out.getvalue().splitlines()


def test_a_space_is_planned_made_once_and_mended(hub: HubServer) -> None:
    planned = deploy("--plan")
    assert planned[0] == f"would make the private Space {SPACE}" and hub.repos == {}
    done = deploy()
    assert [f"would {one}" for one in done[:-1]] == planned and done[-1] == f"{SPACE} is deployed"
    space = hub.repos[SPACE]
    assert (space["private"], space["hardware"]) == (True, "cpu-basic")
    assert space["variables"] == {"STUDIO_HOME": "studio", "STUDIO_BACKUP": "/backup"}
    assert space["volumes"] == [{"type": "bucket", "source": "ann/studio-backup", "mountPath": "/backup"}]
    assert hub.buckets == {"ann/studio-backup"}
    for name in ("app.py", "README.md", "ui/server.py", "engine/settings.py", "ui/components/data.css"):
        assert (hub.files(SPACE) / name).read_bytes() == (ROOT / name).read_bytes()
    assert not [path for path in hub.files(SPACE).rglob("*") if "__pycache__" in path.parts or "tests" in path.parts]

    commits = len(hub.commits)
    assert deploy() == [f"{SPACE} is as spaces.yaml declares it"] and len(hub.commits) == commits

    (hub.files(SPACE) / "app.py").write_text("changed by hand")
    (hub.files(SPACE) / "strange.py").write_text("")
    space["variables"] |= {"STUDIO_BACKUP": "/elsewhere", "MINE": "1"}
    again = deploy()
    assert again[0] == "set the variable STUDIO_BACKUP to '/backup'"
    assert again[1] == "leave what spaces.yaml does not name: MINE"
    assert again[2].startswith("upload 1 files") and "delete 1" in again[2]
    assert (hub.files(SPACE) / "app.py").read_bytes() == (ROOT / "app.py").read_bytes()
    assert not (hub.files(SPACE) / "strange.py").exists()


def test_a_secret_is_set_where_it_is_missing_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "spaces.yaml").write_text(
        "hardware: t4-medium\nvariables: {}\nvolumes: []\nsecrets: {OPENAI_API_KEY: for answers}\n"
    )
    known = read_declared(tmp_path, SPACE, {"SPACE_OPENAI_API_KEY": "sk-secret"})
    unknown = read_declared(tmp_path, SPACE, {})
    data = (tmp_path / "spaces.yaml").read_bytes()
    missing = Found(True, {"spaces.yaml": hashlib.sha256(data).hexdigest()}, "t4-medium")
    there = replace(missing, secrets=frozenset({"OPENAI_API_KEY"}))
    assert plan(known, there) == []
    assert [act.sentence for act in plan(known, there, is_setting_secrets=True)] == [
        "set the secret OPENAI_API_KEY (for answers)"
    ]
    assert [act.sentence for act in plan(known, missing)] == ["set the secret OPENAI_API_KEY (for answers)"]
    [told] = plan(unknown, missing)
    assert told.do is None and "SPACE_OPENAI_API_KEY" in told.sentence
    assert "sk-secret" not in repr(known)
