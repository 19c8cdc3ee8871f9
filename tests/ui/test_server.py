"""What the server says without a browser: headers, media by hash, what comes in and what is refused."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.settings import Settings
from engine.store.connection import Connections
from engine.trace import Box, Example
from ui.guests import GUEST_COOKIE
from ui.studio import Studio
from ui.training.board import read_board

if TYPE_CHECKING:
    from fastapi.testclient import TestClient


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    import app

    home = tmp_path_factory.mktemp("server")
    studio = app.build_studio(
        Settings.from_environment({"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted", "STUDIO_MAX_UPLOAD_MB": "1"})
    )
    studio.samples()  # drawn in the background at a start; here nothing may write beside the tests
    yield studio
    studio.store.close()


def test_clips_that_come_in_are_sampled_as_the_policys_protocol_wants(tmp_path: Path) -> None:
    import app

    for protocol, sampling in (("pixel-reasoner", "index"), ("studio", "time")):
        home = str(tmp_path / protocol)
        settings = {"STUDIO_HOME": home, "STUDIO_MODEL": "scripted", "STUDIO_PROTOCOL": protocol}
        built = app.build_studio(Settings.from_environment(settings))
        assert built.media.sampling == sampling
        built.samples()
        built.store.close()


@pytest.fixture(scope="module")
def client(studio: Studio) -> TestClient:
    from fastapi.testclient import TestClient

    from ui.server import build_server

    return TestClient(build_server(studio))


def png(seed: int = 0) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (120, 200, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def send(client: TestClient, data: bytes, name: str = "a%20picture.png"):
    return client.post("/media", content=data, headers={"X-File-Name": name})


def files(studio: Studio) -> list[Path]:
    return sorted(path for path in studio.settings.artifacts.rglob("*") if path.is_file())


def test_every_page_forbids_foreign_pictures_and_scripts_of_its_data(client: TestClient) -> None:
    nonces = []
    for path in ("/", "/curate", "/train", "/evaluate", "/data"):
        answer = client.get(path)
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200
        assert "img-src 'self' data: blob:;" in policy
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        scripts = policy.partition("script-src ")[2].partition(";")[0]
        assert "'unsafe-inline'" not in scripts
        (nonce,) = re.findall(r"'nonce-([^']+)'", scripts)
        assert set(re.findall(r"<script([^>]*)", answer.text)) != set()
        assert all(f'nonce="{nonce}"' in tag for tag in re.findall(r"<script[^>]*", answer.text))
        nonces.append(nonce)
    assert len(set(nonces)) == len(nonces)


@pytest.mark.parametrize(
    "path",
    ["/docs", "/redoc", "/openapi.json", "/gradio_api/openapi.json", "/monitoring", "/gradio_api/proxy=http://a/b"],
)
def test_what_nobody_needs_is_closed(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_upload_of_gradio_checks_what_comes(client: TestClient, studio: Studio) -> None:
    before = files(studio)
    [refused] = client.post("/gradio_api/upload", files={"files": b"<html>"}).json()
    assert refused.startswith("refused: ") and files(studio) == before


def test_a_guest_keeps_a_name_and_cannot_choose_one(client: TestClient) -> None:
    client.cookies.clear()
    cookie = client.get("/").headers["set-cookie"]
    assert re.match(rf"{GUEST_COOKIE}=guest-[0-9a-f]{{8}}\.[0-9a-f]{{32}};", cookie)
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    name = client.get("/me").json()["user"]
    assert "set-cookie" not in client.get("/").headers
    assert client.get("/me").json()["user"] == name
    client.cookies.clear()
    framed = client.get("/", headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    assert "SameSite=None; Secure; Partitioned" in framed
    client.cookies.clear()
    assert client.get("/me", headers={"cookie": f"{GUEST_COOKIE}=guest-0000000a"}).json()["user"] == "guest"


def test_a_picture_comes_in_and_out_by_its_hash(client: TestClient, studio: Studio) -> None:
    data = png()
    said = send(client, data).json()
    assert (said["kind"], said["width"], said["height"], said["name"]) == ("image", 200, 120, "a picture.png")
    assert studio.store.media.get(said["sha256"]).byte_size == len(data)

    original = client.get(f"/media/{said['sha256']}")
    assert original.content == data
    assert original.headers["content-type"] == "image/png"
    assert original.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert original.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in original.headers["content-security-policy"]
    part = client.get(f"/media/{said['sha256']}", headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    assert client.get(f"/media/{said['sha256']}", headers={"Range": "bytes=999999-"}).status_code == 416

    box = Box(0.25, 0.25, 0.5, 0.75)
    crop = client.get(f"/media/{said['sha256']}/crop", params={"box": ",".join(map(str, box.as_list()))})
    pixels = np.asarray(Image.open(io.BytesIO(data)))[30:90, 50:100]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(crop.content))), pixels)
    small = Image.open(io.BytesIO(client.get(f"/media/{said['sha256']}/thumbnail?side=64").content))
    assert max(small.size) == 64


@pytest.mark.parametrize(
    "path", ["nothing", "0" * 64, "0" * 64 + "/thumbnail", "0" * 64 + "/crop?box=0,0,1,1", "..%2f..%2fannotations.db"]
)
def test_what_is_not_there_is_said(client: TestClient, path: str) -> None:
    answer = client.get(f"/media/{path}")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("cache-control", "")


@pytest.mark.parametrize("box", ["", "0,0,1", "0,0,0,0", "a,b,c,d", "0.5,0,0.1,1", "nan,0,1,1", "0,0,2,2"])
def test_a_bad_box_is_refused(client: TestClient, box: str) -> None:
    said = send(client, png()).json()
    assert client.get(f"/media/{said['sha256']}/crop", params={"box": box}).status_code == 400
    assert client.get(f"/media/{said['sha256']}/frame/3").status_code == 404
    assert client.get(f"/media/{said['sha256']}/frame/99").status_code == 404


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<!doctype html><script>1</script>",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"\x89PNG\r\n\x1a\n",
        b"\0" * 64,
    ],
)
def test_a_hostile_file_gets_one_sentence_and_leaves_nothing(client: TestClient, studio: Studio, data: bytes) -> None:
    before, known = files(studio), len(studio.store.media.list())
    answer = send(client, data, "photo.png")
    assert answer.status_code == 422
    assert answer.json()["error"].endswith(".") and "Traceback" not in answer.text
    assert (files(studio), len(studio.store.media.list())) == (before, known)


def test_a_file_over_the_limit_is_refused_whether_it_says_so_or_not(client: TestClient, studio: Studio) -> None:
    before = files(studio)
    declared = send(client, b"\0" * 1_000_001, "big.png")
    pieces = client.post("/media", content=(b"\0" * 250_000 for _ in range(5)), headers={"X-File-Name": "big.png"})
    for answer in (declared, pieces):
        assert answer.status_code == 413
        assert "“big.png” is larger than 1 MB" in answer.json()["error"]
    assert files(studio) == before


def test_another_site_cannot_send_files(client: TestClient, studio: Studio) -> None:
    before = files(studio)
    assert client.post("/media", content=png(7)).status_code == 400
    foreign = {"Origin": "https://evil.example", "X-File-Name": "a.png"}
    for path in ("/media", "/gradio_api/queue/join", "/gradio_api/cancel"):
        assert client.post(path, content=png(7), headers=foreign).status_code == 403
        asked = client.options(path, headers=foreign | {"Access-Control-Request-Method": "POST"})
        assert asked.status_code == 403
        assert not [name for name in asked.headers if name.startswith("access-control")]
    own = {"Origin": "http://testserver", "X-File-Name": "a.png"}
    assert client.post("/media", content=b"", headers=own).status_code == 422
    assert files(studio) == before


def test_a_damaged_adapter_keeps_no_studio_from_starting_and_is_told(random_model, tmp_path, caplog) -> None:
    from fastapi.testclient import TestClient

    import app
    from ui.server import build_server

    settings = Settings.from_environment({"STUDIO_HOME": str(tmp_path), "STUDIO_MODEL": str(random_model("qwen3_vl"))})
    before = app.build_studio(settings)
    assert before.jobs is not None and before.jobs.problem is None
    folder = settings.artifacts / "adapters" / "cut"
    folder.mkdir(parents=True)
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(b"cut off")
    backbone = before.jobs.workshop.backbone
    adapter = before.store.adapters.record("sft 1", "adapters/cut", None, backbone.name, backbone.base_hash, {})
    before.store.adapters.promote(adapter.id, "ann")
    before.samples()  # no thread may draw when the store is closed
    before.worker.close(30)
    before.store.close()

    studio = app.build_studio(settings)
    assert studio.jobs is not None
    told = TestClient(build_server(studio)).get("/health").json()
    assert told["is_ready"] is True
    assert "the adapter 'sft 1' cannot be read" in told["problems"][0]
    assert told["problems"][0] in caplog.text
    assert read_board(studio).who["detail"][1:].startswith(told["problems"][0][1:])
    studio.jobs.demote("ann")
    assert studio.jobs.problem is None
    studio.samples()
    studio.worker.close(30)
    studio.store.close()


def test_a_strange_name_is_not_answered_to_and_a_program_sees_no_more_of_gradio_than_it_needs(
    client: TestClient,
) -> None:
    for path in ("/", "/me", "/media/nothing", "/gradio_api/info"):
        strange = client.get(path, headers={"Host": "evil.example:7860"})
        assert strange.status_code == 421 and "STUDIO_ALLOWED_HOSTS" in strange.text
        assert client.get(path, headers={"Host": "127.0.0.1:7860"}).status_code != 421
    for path in (
        "dev/reload",
        "call/ask",
        "api/ask",
        "stream/x",
        "token",
        "queue/status",
        "app_id",
        "component_server",
    ):
        assert client.get(f"/gradio_api/{path}").status_code == 404
        assert client.post(f"/gradio_api/{path}", json={}).status_code == 404


def test_altered_bytes_are_never_served_and_health_says_so(
    client: TestClient, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = png(11)
    sha256 = send(client, data).json()["sha256"]
    path = studio.media.path(sha256)
    assert client.get(f"/media/{sha256}").content == data
    path.write_bytes(data[:-20] + b"x" * 20)
    altered = client.get(f"/media/{sha256}")
    assert altered.status_code == 500 and "was altered" in altered.json()["error"]
    assert "immutable" not in altered.headers["cache-control"]
    assert any(sha256 in problem for problem in client.get("/health").json()["problems"])
    with monkeypatch.context() as patch:
        patch.setattr("ui.server.may", lambda role, action: False)  # whoever has not signed in
        [told] = client.get("/health").json()["problems"]
        assert sha256 not in told and "/host" in told
    path.write_bytes(data)
    assert client.get(f"/media/{sha256}").content == data
    assert client.get("/health").json()["problems"] == []


def test_a_full_disk_is_said_and_nothing_is_half_kept(
    client: TestClient, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections, connect = studio.store.connections, Connections._connect

    def full(self: Connections):
        database = connect(self)
        database.conn.execute("PRAGMA max_page_count = 1")  # SQLite takes no more than it has
        return database

    known = len(studio.store.media.list())
    with monkeypatch.context() as patch:
        patch.setattr(Connections, "_connect", full)
        connections._mine = threading.local()
        refused = [send(client, png(seed)) for seed in range(200, 240)]
        kept = sum(answer.status_code == 200 for answer in refused)
        full_up = next(answer for answer in refused if answer.status_code != 200)
        assert full_up.status_code == 507 and "is full, so nothing of this was kept" in full_up.json()["error"]
        told = client.get("/health")
        assert told.status_code == 503 and told.json()["is_ready"] is False
        assert "is full" in told.json()["problems"][0]
    connections._mine = threading.local()
    assert send(client, png(300)).status_code == 200
    assert client.get("/health").status_code == 200
    assert len(studio.store.media.list()) == known + 1 + kept


def test_gradio_keeps_of_a_session_what_is_needed_and_sums_nothing_up(client: TestClient) -> None:
    from starlette.routing import Mount

    [mounted] = [route for route in client.app.routes if isinstance(route, Mount)]  # type: ignore[attr-defined]
    blocks = mounted.app.get_blocks()  # type: ignore[attr-defined]
    session = blocks.state_holder["somebody"]
    assert session.config_values == {}
    component = next(iter(blocks.blocks))
    assert session.blocks_config.blocks[component] is blocks.blocks[component]
    queue = blocks._queue
    queue.events_recorded += 1000
    told = {"function": "ask", "status": "success", "process_time": 1.0}
    assert queue.compute_analytics_summary([told]) == {"functions": {}}


def test_a_request_has_an_id_from_the_browser_to_the_log(
    client: TestClient, studio: Studio, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert client.get("/me", headers={"X-Request-ID": "from-a-proxy.1"}).headers["x-request-id"] == "from-a-proxy.1"
    made = client.get("/me", headers={"X-Request-ID": "no\tid"}).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{16}", made)
    monkeypatch.setattr("ui.studio.home_health", lambda *home: 1 / 0)
    broke = client.get("/health", headers={"X-Request-ID": "asked-by-a-test"})
    assert broke.status_code == 500 and "at request asked-by-a-test" in broke.json()["error"]
    assert "GET /health broke" in caplog.text and "ZeroDivisionError" in caplog.text


def test_figures_for_prometheus_and_for_the_host_say_the_same(client: TestClient, studio: Studio) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    asked = client.app.state.answering  # type: ignore[attr-defined]
    media = studio.media.load(studio.samples()[0].sha256).media
    before = client.get("/metrics").text
    assert asked.ask("page", Example("What?", (media,)), author="ann").wait_over(60)
    text = client.get("/metrics").text

    def value(text: str, name: str, **labels: str) -> float:
        samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
        return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())

    assert value(text, "studio_asks_total", stop_reason="answered") == 1 + value(before, "studio_asks_total")
    assert value(text, "studio_tokens_total") > 0 and value(text, "studio_asks_under_way") == 0
    assert value(text, "studio_traces", status="new") == studio.store.traces.counts()["new"]
    assert value(text, "studio_is_ready") == 1 and value(text, "studio_disk_free_bytes") > 0
    assert value(text, "studio_http_answers_total", status="5xx") == value(text, "studio_errors_total")
    page = client.get("/host")
    assert page.status_code == 200 and "Nothing is wrong." in page.text and "Questions that ended, by how." in page.text
    assert "<script" not in page.text and "What?" not in text + page.text
