"""The studio by program, as the real `gradio_client` and the official `mcp` client meet it, on a server in this process."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from engine.trace import Box, Example, Step, ZoomIn
from tests.browser.live import LiveStudio
from tests.drivers.asking import awaited

if TYPE_CHECKING:
    from gradio_client import Client

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
ADDRESS = "http://127.0.0.1:7860"
LOOK = Step("The sign is small. I will zoom in.", ZoomIn(1, Box(0.4, 0.35, 0.6, 0.6)))
READ = Step("It can be read.", answer="KX 7421")


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveStudio]:
    home = tmp_path_factory.mktemp("api")
    live = LiveStudio(home)
    media = live.studio.media.load(live.picture).media
    live.studio.store.examples.record("signs", Example("Which number?", (media,), "7421"))
    yield live
    live.studio.worker.close(30)
    live.close()


@pytest.fixture(scope="module")
def client(live: LiveStudio) -> Client:
    from gradio_client import Client

    return Client(live.url, verbose=False)


@pytest.fixture
def saying(live: LiveStudio) -> None:
    live.say(LOOK, READ)


def with_tools(live: LiveStudio, talk: Callable[[Any], Any]) -> Any:
    """What `talk(session)` returns, in a session of the official client."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def connected() -> Any:
        async with streamable_http_client(live.url + "/mcp") as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            return await talk(session)

    return awaited(connected())


def heads(live: LiveStudio) -> dict[str, Any]:
    """Every trace of the store by its id."""
    return {one.item.id: one.item for one in live.studio.store.queue.page().items}


def test_the_page_of_the_documents_runs(live: LiveStudio, saying: None, tmp_path: Path, monkeypatch) -> None:
    shutil.copy(live.studio.media.path(live.picture), tmp_path / "picture.png")
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", text, flags=re.M | re.S)
    shown: dict[str, Any] = {}
    out = io.StringIO()
    shown["print"] = lambda *values: print(*values, file=out)
    with ThreadPoolExecutor(1) as thread:  # a browser that other tests opened has a loop in this one
        for block in blocks:
            code = compile(block.replace(ADDRESS, live.url), str(PAGE), "exec")
            thread.submit(exec, code, shown).result()
    assert shown["trace"]["answer"] == "KX 7421" and shown["trace"]["url"] == f"curate?trace={shown['trace']['id']}"
    assert shown["picture"]["sha256"] == live.picture
    assert shown["opened"]["steps"][0]["operation"] == {"name": "zoom_in", "view": 1, "box": [0.4, 0.35, 0.6, 0.6]}
    assert {row["id"] for row in shown["more"]["traces"]}.isdisjoint(shown["page"])
    assert shown["job"]["state"] == "done", shown["job"]
    assert "TRACES.jsonl" in out.getvalue()
    assert "there is no trace 'no such trace' in the store" in out.getvalue()
    assert live.studio.store.traces.get(shown["trace"]["id"]).status == "accepted"
    names = [one.name for one in endpoints()]
    assert [name for name in names if f'api_name="/{name}"' not in text or f'call("{name}"' not in text] == []


def endpoints() -> tuple[Any, ...]:
    from ui.api.table import ENDPOINTS

    return ENDPOINTS


def test_both_protocols_have_every_endpoint_with_its_types(live: LiveStudio, client: Client) -> None:
    named = client.view_api(return_format="dict", print_info=False)["named_endpoints"]

    async def listed(session: Any) -> Any:
        return (await session.list_tools()).tools

    tools = {tool.name: tool for tool in with_tools(live, listed)}
    assert set(named) == {f"/{one.name}" for one in endpoints()} and set(tools) == {one.name for one in endpoints()}
    for one in endpoints():
        known, tool = named[f"/{one.name}"], tools[one.name]
        assert known["description"] == tool.description == one.description != ""
        arguments = tool.input_schema.get("properties", {})
        assert [parameter["parameter_name"] for parameter in known["parameters"]] == list(arguments)
        assert all(argument["description"] for argument in arguments.values())
        assert all(parameter["python_type"]["description"] for parameter in known["parameters"])
        required = [p["parameter_name"] for p in known["parameters"] if not p["parameter_has_default"]]
        assert required == tool.input_schema.get("required", [])
        assert known["returns"][0]["python_type"]["type"].startswith("dict(") and tool.output_schema["required"]


def test_what_cannot_be_is_one_sentence_in_both_protocols(live: LiveStudio, client: Client, tmp_path: Path) -> None:
    from gradio_client import handle_file
    from gradio_client.exceptions import AppError

    (tmp_path / "notes.png").write_text("no picture")
    cases = [
        ("trace", {"id": "nothing"}, "there is no trace 'nothing' in the store"),
        ("traces", {"limit": 1000}, "traces cannot take its argument limit: Input should be less than or equal to 200"),
        ("traces", {"status": "odd"}, "traces cannot take its argument status: Input should be 'new', 'edited', "),
        ("examples", {"data_set": "none"}, "there is no data set 'none'"),
        ("ask", {"question": "What?", "media": ["0" * 64]}, "There is no media '"),
        ("ask", {"question": "What?", "media": ["../annotations.db"]}, "There is no media '"),
        ("ask", {"question": "What?", "media": []}, "ask cannot take its argument media: List should have at least 1"),
        ("export", {"format": "odd"}, "there is no format 'odd'; choose one of: trace-json"),
        ("review", {"id": "nothing", "revision": "x", "verdict": "accepted"}, "there is no trace 'nothing'"),
    ]

    async def refused(session: Any) -> list[str]:
        results = [await session.call_tool(name, given) for name, given, _ in cases]
        results.append(await session.call_tool("nothing", {}))
        assert all(result.is_error for result in results)
        return [result.content[0].text for result in results]

    by_tools = with_tools(live, refused)
    assert by_tools.pop().startswith("there is no tool 'nothing'; the tools are ask, ")
    for (name, given, sentence), told in zip(cases, by_tools, strict=True):
        with pytest.raises(AppError) as raised:
            client.predict(**given, api_name=f"/{name}")
        assert str(raised.value) == told and told.startswith(sentence) and "\n" not in told

    for medium, sentence in (
        (handle_file(str(tmp_path / "notes.png")), "notes.png|picture"),
        (handle_file("https://example.invalid/picture.png"), "There is no media '"),
    ):
        with pytest.raises(AppError, match=sentence):
            client.predict("What?", [medium], api_name="/ask")


def test_whoever_stops_waiting_ends_what_was_asked(live: LiveStudio, client: Client) -> None:
    def is_cancelled(known: dict[str, Any]) -> bool:
        return [item.stop_reason for id, item in heads(live).items() if id not in known] == ["cancelled"]

    live.hold(READ)
    before = heads(live)
    job = client.submit("What is there?", [live.picture], api_name="/ask")
    live.until(lambda: job.outputs())
    job.cancel()
    live.until(lambda: is_cancelled(before))

    before = heads(live)

    async def give_up(session: Any) -> None:
        asked = asyncio.create_task(session.call_tool("ask", {"question": "And now?", "media": [live.picture]}))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asked, 0.5)

    with_tools(live, give_up)
    live.until(lambda: is_cancelled(before))


def test_each_step_is_told_to_a_tool_that_waits(live: LiveStudio, saying: None) -> None:
    told: list[tuple[float, str | None]] = []

    async def ask(session: Any) -> Any:
        async def hear(progress: float, total: float | None, message: str | None) -> None:
            told.append((progress, message))

        given = {"question": "What is there?", "media": [live.picture]}
        return await session.call_tool("ask", given, progress_callback=hear)

    result = with_tools(live, ask)
    assert told[0] == (1, "Step 1 is done") and result.structured_content["answer"] == "KX 7421"


def test_half_a_character_in_a_trace_can_be_sent(live: LiveStudio, client: Client) -> None:
    from dataclasses import replace

    known = next(iter(heads(live)))
    trace = live.studio.store.revisions.head(known).trace
    odd = live.studio.store.traces.record(replace(trace, steps=(Step("half \ud83d", answer="x"),)), author="ann")
    assert client.predict(odd.id, api_name="/trace")["steps"][0]["thought"] == "half ?"


def test_rights_are_those_of_the_screens(live: LiveStudio, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradio_client.exceptions import AppError

    monkeypatch.setattr("engine.access.who.HOST", "visitor")
    sentence = "your role here is visitor, and to export needs admin; ask an admin of this studio for it"

    async def export(session: Any) -> Any:
        return await session.call_tool("export", {})

    refused = with_tools(live, export)
    assert refused.is_error and refused.content[0].text == sentence
    with pytest.raises(AppError) as raised:
        client.predict(api_name="/export")
    assert str(raised.value) == sentence
    assert live.studio.store.jobs.active() == []
    assert client.predict(api_name="/traces")["traces"] is not None


def test_an_upload_is_bounded_and_checked(live: LiveStudio, monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    from ui.api import upload_routes

    def send(*files: tuple[str, bytes]) -> httpx.Response:
        address = live.url + "/gradio_api/upload"
        return httpx.post(address, files=[("files", one) for one in files])

    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "green").save(picture, "PNG")
    known = len(live.studio.store.media.list())
    [taken, refused] = send(("a.png", picture.getvalue()), ("b.png", b"<html>")).json()
    assert live.studio.store.media.name_of(taken) == "a.png"
    assert refused.startswith("refused: ") and len(live.studio.store.media.list()) == known + 1
    assert httpx.post(live.url + "/gradio_api/upload", content=b"x").status_code == 400
    foreign = {"Origin": "https://evil.example"}
    assert httpx.post(live.url + "/gradio_api/upload", headers=foreign).status_code == 403
    assert httpx.post(live.url + "/mcp", headers=foreign, json={}).status_code == 403

    monkeypatch.setattr(upload_routes, "_FRAME_BYTES", -4 * live.studio.settings.max_upload_mb * 1_000_000 + 1000)
    answer = send(("a.png", b"\0" * 100_000))
    assert answer.status_code == 413 and answer.json()["error"].startswith("These files are larger together")
