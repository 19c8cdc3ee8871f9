"""The routes of the Data screen: what is sent, looked at, brought in, attempted and taken out, and what is refused."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.access import Access
from engine.jobs.answering import StudioPolicy
from engine.jobs.asking import Services
from engine.jobs.collect import CollectKind
from engine.jobs.export import ExportKind
from engine.jobs.importing import ImportKind
from engine.jobs.worker import Worker
from engine.media import MediaFolder
from engine.opening import loop_limits
from engine.policies.scripted import ScriptedPolicy
from engine.settings import Settings
from engine.store import Store
from tests.browser.traces import picture_trace
from tests.importing.conftest import png, rows, write_csv
from ui.studio import Studio

OURS = {"X-Studio": "1"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    home = tmp_path_factory.mktemp("data")
    asked = {"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted", "STUDIO_MAX_IMPORT_MB": "1"}
    settings, policy = Settings.from_environment(asked), ScriptedPolicy()
    with Store(settings.database) as store:
        media = MediaFolder(settings.artifacts / "media")
        services = Services(store, media, StudioPolicy(lambda: policy), loop_limits(settings))
        kinds = (ImportKind(store, media), ExportKind(store, media), CollectKind(services))
        worker = Worker(store, settings.artifacts, {kind.name: kind for kind in kinds}, poll_s=0.02)
        yield Studio(settings, store, media, lambda: policy, lambda: (), worker, Access(settings, store))
        worker.close(10)


@pytest.fixture(scope="module")
def client(studio: Studio) -> Any:
    from fastapi.testclient import TestClient

    from ui.server import build_server

    return TestClient(build_server(studio))


def ask(client, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = client.post(path, json=body, headers=OURS)
    assert answer.status_code == status, answer.text
    return answer.json()


def send(client, files: dict[str, bytes]) -> str:
    upload = ask(client, "/data/uploads", {})["upload"]
    for name, content in files.items():
        answer = client.post(f"/data/uploads/{upload}", content=content, headers={"X-File-Name": name})
        assert answer.status_code == 200, answer.text
    return upload


def ended(client, kind: str, job: dict[str, Any]) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = next(one for one in client.get(f"/data/{kind}/jobs").json()["jobs"] if one["id"] == job["id"])
        if not found["is_active"]:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not end")


def brought(folder: Path, count: int) -> dict[str, bytes]:
    write_csv(folder / "q.csv", [*rows(count), {**rows(1)[0], "id": "=1+1", "image": "none.png"}])
    return {"mine/q.csv": (folder / "q.csv").read_bytes()} | {f"mine/pictures/{k}.png": png(k) for k in range(count)}


def test_from_a_folder_that_was_sent_to_attempts_and_their_export(client, studio, tmp_path):
    upload = send(client, brought(tmp_path, 3) | {"mine/.DS_Store": b"x"})
    shown = ask(client, "/data/preview", {"upload": upload, "columns": None})
    assert (shown["name"], shown["table"], shown["asks"]) == ("mine", "q.csv", [])
    assert [row["question"] for row in shown["rows"][:3]] == [row["question"] for row in rows(3)]
    assert shown["rows"][0]["pictures"][0]["src"].startswith("data:image/jpeg;base64,")
    assert "no file 'none.png'" in shown["rows"][3]["problem"]
    assert studio.store.examples.data_sets() == [] and not list(studio.media.root.glob("??/*.png"))

    columns = shown["read_as"] | {"category": "answer"}
    job = ended(
        client, "import", ask(client, "/data/import", {"upload": upload, "columns": columns, "data_set": "first"})
    )
    assert (job["state"], job["refused"], job["rows"][0]["row"]) == ("done", 1, 4)
    refused = client.get(f"/data/import/refused/{job['id']}.csv")
    assert (
        refused.text.splitlines()[1].startswith("4,'=1+1,") and "attachment" in refused.headers["content-disposition"]
    )
    assert list((studio.settings.artifacts / "incoming").iterdir()) == []
    told = client.get("/data/sets").json()
    assert [(one["name"], one["count"], one["with_answer"]) for one in told["sets"]] == [("first", 3, 3)]
    assert studio.store.examples.list("first")[0].example.category == "red"
    assert [one["id"] for one in told["adapters"]] == ["live"]

    collect = {"data_set": "first", "attempts": 2, "keep": "all", "temperature": 1, "max_tokens": None, "limit": None}
    refused = ask(client, "/data/collect", collect | {"adapter": "another"}, 422)["error"]
    assert "has no adapters to choose from" in refused
    job = ended(client, "collect", ask(client, "/data/collect", collect | {"adapter": "live"}))
    assert (job["state"], job["config"]["data_set"]) == ("done", "first") and sum(
        studio.store.traces.counts().values()
    ) == 6

    job = ended(client, "export", ask(client, "/data/export", {"format": "trace-json", "status": "new"}))
    assert (job["state"], job["message"]) == ("done", "6 traces")
    packed = client.get(f"/data/export/{job['id']}.zip")
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert archive.testzip() is None
        [lines] = [archive.read(name) for name in archive.namelist() if name.endswith("TRACES.jsonl")]
        assert len(lines.splitlines()) == 6 and json.loads(lines.splitlines()[0])["question"] in {
            r["question"] for r in rows(3)
        }
        assert sum(name.endswith(".png") for name in archive.namelist()) == 3


def test_a_path_of_the_host_is_an_action_of_its_own(client, studio, tmp_path, monkeypatch):
    for name, content in brought(tmp_path, 2).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    body = {"path": str(tmp_path / "mine"), "columns": None}
    assert ask(client, "/data/host/preview", body)["name"] == "mine"
    job = ended(client, "import", ask(client, "/data/host/import", body | {"data_set": ""}))
    assert job["config"]["data_set"] == "mine" and (tmp_path / "mine" / "q.csv").exists()
    monkeypatch.setattr("engine.access.who.HOST", "trainer")
    for path in ("/data/host/preview", "/data/host/import"):
        assert "needs admin" in ask(client, path, body, 403)["error"]
    assert ask(client, "/data/uploads", {})["upload"]
    monkeypatch.setattr("engine.access.who.HOST", "annotator")
    assert "needs trainer" in ask(client, "/data/uploads", {}, 403)["error"]


def test_what_cannot_be_sent_or_asked_is_a_sentence(client, studio):
    upload = ask(client, "/data/uploads", {})["upload"]
    for name in ("../x.png", "%2Fetc%2Fpasswd/../../x", "a/../../x", ""):
        answer = client.post(f"/data/uploads/{upload}", content=b"x", headers={"X-File-Name": name})
        assert answer.status_code == 422 and "cannot be called" in answer.json()["error"]
    answer = client.post(f"/data/uploads/{upload}", content=b"x" * 1_000_001, headers={"X-File-Name": "large.zip"})
    assert answer.status_code == 422 and "At most 1 MB" in answer.json()["error"]
    assert client.post(f"/data/uploads/{upload}", content=b"x").status_code == 422
    assert "Nothing was sent" in ask(client, "/data/preview", {"upload": upload}, 404)["error"]
    for other in ("0" * 32, "../" + upload, "x"):
        assert "not here any more" in ask(client, "/data/preview", {"upload": other}, 404)["error"]
    table = send(client, {"q.csv": b"image,question\nx.png,What?\n"})
    assert "1 to 100 characters" in ask(client, "/data/import", {"upload": table, "data_set": "a/b"}, 422)["error"]
    assert "no column" in ask(client, "/data/preview", {"upload": table, "columns": {"question": "x"}}, 422)["error"]
    assert (
        "there is no data set"
        in ask(client, "/data/collect", {"data_set": "none", "attempts": 1, "keep": "all"}, 404)["error"]
    )
    assert "does not exist" in ask(client, "/data/export", {"format": "trace-json", "status": "x"}, 422)["error"]
    assert "there is no format" in ask(client, "/data/export", {"format": "x"}, 422)["error"]
    assert client.get("/data/export/none.zip").status_code == 404
    assert client.get("/data/import/refused/none.csv").status_code == 404


def test_what_nobody_imported_goes_after_a_day(tmp_path, monkeypatch):
    from ui.data.uploads import Uploads

    uploads = Uploads(tmp_path, 100)
    kept, used, forgotten = uploads.begin(), uploads.begin(), uploads.begin()
    monkeypatch.setattr("ui.data.uploads._FORGOTTEN_AFTER_S", -1)
    uploads.sweep({str(tmp_path / used), str(tmp_path / kept)})
    assert sorted(one.name for one in tmp_path.iterdir()) == sorted([kept, used]) and forgotten not in (kept, used)
    (tmp_path / used).rmdir()  # as its job does when all is in
    uploads.sweep({str(tmp_path / kept)})
    assert list(uploads._sizes) == [kept]


def test_an_export_is_known_and_comes_back_from_its_zip(client, studio, tmp_path):
    from fastapi.testclient import TestClient

    from ui.server import build_server

    picture_trace(studio.store, studio.media, 1)
    job = ended(client, "export", ask(client, "/data/export", {"format": "trace-json"}))
    packed = client.get(f"/data/export/{job['id']}.zip").content
    with Store(tmp_path / "annotations.db") as store:
        media = MediaFolder(tmp_path / "artifacts" / "media")
        kind = ImportKind(store, media)
        settings = Settings.from_environment({"STUDIO_HOME": str(tmp_path), "STUDIO_MODEL": "scripted"})
        worker = Worker(store, settings.artifacts, {kind.name: kind}, poll_s=0.02)
        other = TestClient(
            build_server(Studio(settings, store, media, studio.policy, lambda: (), worker, Access(settings, store)))
        )
        upload = send(other, {"export.zip": packed})
        shown = ask(other, "/data/preview", {"upload": upload, "columns": None})
        assert shown["as"] == "trace-json"
        body = {"upload": upload, "as": "trace-json", "data_set": "back"}
        done = ended(other, "import", ask(other, "/data/import", body))
        assert done["state"] == "done", done["message"]
        assert [one.hash for one in hashes(store)] == [one.hash for one in hashes(studio.store)]
        assert list((tmp_path / "artifacts" / "incoming").iterdir()) == []
        assert worker.close(10)


def hashes(store: Store) -> list[Any]:
    return sorted(
        (store.revisions.head(listed.item.id) for listed in store.queue.page(limit=100).items), key=lambda one: one.hash
    )
