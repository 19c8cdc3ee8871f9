"""Every POST route and every endpoint of Gradio's, with bodies that a page could never send: no answer is 5xx, no traceback is
written, and memory is flat.

STUDIO_TORTURE is how many bodies each gets, 500 in the long form. They come in five rounds through all routes, and memory is read
after each route of a round: what a first use imports and keeps is there after the first. Bodies are JSON of any shape, and
objects of the fields that the routes really read, with wrong values, right ids, halves of characters, and depths that no parser
likes.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from engine.settings import Settings
from tests.browser.traces import picture_trace
from tests.torture.lasting import drift

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

BODIES = int(os.environ.get("STUDIO_TORTURE", "5"))
ROUNDS = 5 if BODIES >= 100 else 1
ROOT = Path(__file__).parents[2]
FIELDS = sorted(
    {
        name
        for path in (ROOT / "ui").rglob("*.py")
        for name in re.findall(r'(?:_of|get)\((?:\w+, )?"([a-z_]{2,20})"', path.read_text(encoding="utf-8"))
    }
)
"""The names that routes ask a posted object for."""

HOSTILE = (
    "",
    "\ud800",
    "\x00",
    "‮evil",
    "x" * 5000,
    "../../annotations.db",
    "'; DROP TABLE traces; --",
    "NaN",
    "<script>",
)


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    import app

    home = tmp_path_factory.mktemp("fuzzed")
    studio = app.build_studio(Settings.from_environment({"STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted"}))
    studio.samples()
    for number in range(1, 4):
        picture_trace(studio.store, studio.media, number)
    yield studio
    studio.worker.close(30)
    studio.store.close()


@pytest.fixture(scope="module")
def client(studio: Any) -> Iterator[TestClient]:
    from fastapi.testclient import TestClient

    from ui.server import build_server

    with TestClient(build_server(studio), raise_server_exceptions=False) as client:
        client.get("/")
        yield client


def routes(client: TestClient) -> list[tuple[str, str]]:
    from fastapi.routing import APIRoute, iter_route_contexts

    found = [
        (sorted(one.methods)[0], one.path)
        for one in iter_route_contexts(client.app.routes)  # type: ignore[attr-defined]
        if isinstance(one.original_route, APIRoute)
    ]
    # What a program asks for at /mcp is the SDK's to check; an import reads folders of this machine.
    return [(method, path) for method, path in found if path not in ("/mcp", "/data/import/folder")]


def values(ids: list[str]) -> st.SearchStrategy[Any]:
    leaves = st.one_of(
        st.none(),
        st.booleans(),
        st.sampled_from([0, -1, 1, 2**31, 2**63, 2**70, -(2**80), 1.5, 1e308, float("nan"), float("inf")]),
        st.sampled_from([*ids, *HOSTILE]),
        st.text(max_size=30),
    )
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
        max_leaves=8,
    )


def read_mb() -> float:
    """What is this process's own."""
    import psutil

    return float(psutil.Process().memory_full_info().uss / 1e6)


def settled(memory_mb: list[float]) -> tuple[range, list[float]]:
    """Without the first two rounds of five: in the first all is imported, in the second the last caches fill."""
    rest = memory_mb[2 * len(memory_mb) // 5 :]
    return range(len(rest)), rest


def test_no_body_and_no_address_breaks_anything(
    client: TestClient, studio: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    ids = [*studio.store.traces.ids(), *(one.media.sha256 for one in studio.store.media.list())]
    ids += [studio.store.traces.get(ids[0]).head_id]
    value = values(ids)
    body = st.one_of(
        value, st.dictionaries(st.sampled_from(FIELDS), value, min_size=1, max_size=8), st.just({"trace": ids[0]})
    )
    broken: dict[str, str] = {}
    memory_mb: list[float] = []
    for number, (method, path) in product(range(ROUNDS), routes(client)):

        @seed(number)
        @settings(max_examples=BODIES // ROUNDS, database=None, suppress_health_check=list(HealthCheck))
        @given(body, value)
        def ask(body: Any, query: Any) -> None:
            word = query if isinstance(query, str) else json.dumps(query)
            address = re.sub(r"\{[^}]*\}", lambda _: quote(word[:300] or "x", safe="", errors="surrogatepass"), path)  # noqa: B023
            said = {name: json.dumps(query)[:500] for name in FIELDS[:6]} if method == "GET" else None  # noqa: B023
            content = json.dumps(body).encode()
            headers = {"X-Studio": "1", "X-File-Name": "a"}
            answer = client.request(method, address, content=content, headers=headers, params=said)  # noqa: B023
            if answer.status_code >= 500:
                told = f"{answer.status_code} {answer.text[:200]} for {address[:100]} {content[:300]!r}"
                broken.setdefault(f"{method} {path}", told)  # noqa: B023

        ask()
        deep = client.request(
            method, path.replace("{", "").replace("}", ""), content=b"[" * 100_000, headers={"X-Studio": "1"}
        )
        if deep.status_code >= 500:
            broken.setdefault(f"{method} {path}", f"{deep.status_code} for JSON nested 100,000 deep")
        memory_mb.append(read_mb())
        if ROUNDS > 1:
            with capfd.disabled():
                print(f"{memory_mb[-1]:.1f} MB after {method} {path}, round {number}", flush=True)
    assert broken == {}
    assert ROUNDS == 1 or drift(*settled(memory_mb)).is_flat, memory_mb
    told = "".join(capfd.readouterr())
    assert "Traceback" not in told, told[-5000:]
    assert studio.store.verify(studio.media).is_sound


def test_no_argument_breaks_an_endpoint(client: TestClient, studio: Any, capfd: pytest.CaptureFixture[str]) -> None:
    """By Gradio's queue, as programs call them: each is answered, or refused in a sentence."""
    argument = values([*studio.store.traces.ids(), *(one.media.sha256 for one in studio.store.media.list())])
    endpoints = [one for one in client.get("/config").json()["dependencies"] if one["api_name"]]
    assert len(endpoints) >= 5
    broken: dict[str, str] = {}
    memory_mb: list[float] = []
    for number, endpoint in product(range(ROUNDS), endpoints):

        @seed(number)
        @settings(max_examples=BODIES // ROUNDS, database=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(argument, min_size=len(endpoint["inputs"]), max_size=len(endpoint["inputs"])))
        def call(data: list[Any]) -> None:
            said = {"data": data, "fn_index": endpoint["id"], "session_hash": "fuzzed"}  # noqa: B023
            joined = client.post("/gradio_api/queue/join", content=json.dumps(said).encode())
            told = client.get("/gradio_api/queue/data?session_hash=fuzzed").text if joined.status_code == 200 else ""
            is_told = joined.status_code in (400, 422) or '"process_completed"' in told
            if joined.status_code >= 500 or not is_told or "Traceback" in told:
                broken.setdefault(endpoint["api_name"], f"{joined.status_code} {told[-300:]} for {data!r:.300}")  # noqa: B023

        call()
        memory_mb.append(read_mb())
        if ROUNDS > 1:
            with capfd.disabled():
                print(f"{memory_mb[-1]:.1f} MB after {endpoint['api_name']}, round {number}", flush=True)
    assert broken == {}
    assert ROUNDS == 1 or drift(*settled(memory_mb)).is_flat, memory_mb
    told = "".join(capfd.readouterr())
    assert "Traceback" not in told, told[-5000:]
