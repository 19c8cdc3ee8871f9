"""Signing in by the Hub, against a stand-in of its OpenID provider, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from engine.access import Access
from engine.access.hub import Hub
from engine.errors import Unavailable
from engine.settings import Settings
from engine.store import Store
from tests.access.stand_in_hub import StandInHub

if TYPE_CHECKING:
    from fastapi.testclient import TestClient


@pytest.fixture(scope="module")
def hub() -> Iterator[StandInHub]:
    hub = StandInHub()
    yield hub
    hub.close()


@pytest.fixture
def client(hub: StandInHub, tmp_path: Path) -> Iterator[TestClient]:
    """A browser before the sign-in pages of a studio in a Space; the other routes are left out."""
    from types import SimpleNamespace

    from fastapi import FastAPI
    from fastapi.responses import JSONResponse
    from fastapi.testclient import TestClient

    from ui.guests import WhoAsks, person_of
    from ui.people.sign_in import OPEN_PATHS, sign_in_routes

    settings = Settings.from_environment(hub.settings(STUDIO_HOME=str(tmp_path), STUDIO_ORGANISATIONS="readers"))
    hub.person = {"sub": "66f1", "preferred_username": "nora", "orgs": [{"preferred_username": "Readers"}]}
    with Store(tmp_path / "annotations.db") as store:
        access = Access(settings, store)
        studio: Any = SimpleNamespace(settings=settings, store=store, access=access)
        app = FastAPI()
        app.include_router(sign_in_routes(studio, "studio.css"))

        def me(request: Any) -> JSONResponse:
            return JSONResponse({"user": person_of(request).name, "role": person_of(request).role})

        app.add_route("/me", me)
        app.add_middleware(WhoAsks, access=access, pages=(), open_paths=OPEN_PATHS, header="")
        client = TestClient(app, follow_redirects=False, base_url="https://studio.example")
        client.store = store  # type: ignore[attr-defined]
        yield client


def answered(client: TestClient, word: str = "Allow", **query: str) -> str:
    """Goes to the Hub and says a word there; the address that one is sent back to."""
    import httpx

    there = client.get("/login/huggingface", params=query).headers["location"]
    said = httpx.get(there.replace("/authorize?", f"/said?is={word}&"))
    return said.headers["location"]


def test_who_is_let_in_comes_back_as_who_they_are(client: TestClient) -> None:
    assert client.get("/me").status_code == 401
    back = answered(client, next="curate?trace=1")
    assert back.startswith("https://studio.example/login/callback?") and "code=" in back
    done = client.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "../curate?trace=1")
    kept = [one for one in done.headers.get_list("set-cookie") if one.startswith("studio_session=")]
    assert "HttpOnly; SameSite=None; Secure; Partitioned" in kept[0]
    assert client.get("/me").json() == {"user": "nora", "role": "visitor"}
    # A code, and what the browser began with, are good for once.
    assert client.get(back).status_code == 403
    again = client.get(answered(client))
    assert again.status_code == 303 and [one.name for one in client.store.people.list()] == ["nora"]  # type: ignore[attr-defined]


def test_who_did_not_begin_it_is_refused(client: TestClient, hub: StandInHub) -> None:
    from fastapi.testclient import TestClient as Client

    back = answered(client)
    other = Client(client.app, follow_redirects=False, base_url="https://studio.example")
    stolen = other.get(back)
    assert stolen.status_code == 403 and "was not begun in this browser" in stolen.text
    state = parse_qs(urlsplit(back).query)["state"][0]
    assert client.get(f"/login/callback?code=x&state={state[:-1]}_").status_code == 403
    invented = client.get(f"/login/callback?code=invented&state={state}")
    assert invented.status_code == 403 and "invalid_grant" in invented.text
    assert client.get("/me").status_code == 401


def test_a_no_and_a_stranger_are_told(client: TestClient, hub: StandInHub) -> None:
    denied = client.get(answered(client, "Deny"))
    assert denied.status_code == 403 and "did not let you in (access_denied)" in denied.text
    hub.person |= {"orgs": [{"preferred_username": "others"}]}
    stranger = client.get(answered(client))
    assert stranger.status_code == 403 and "Only members of readers come in here" in stranger.text
    hub.person |= {"orgs": [{"preferred_username": "readers"}], "sub": "77"}
    client.store.people.add("gone", "visitor", subject="huggingface:77")  # type: ignore[attr-defined]
    client.store.people.end("gone")  # type: ignore[attr-defined]
    closed = client.get(answered(client))
    assert closed.status_code == 403 and "has closed your account" in closed.text
    assert client.get("/me").status_code == 401


def test_a_frame_comes_in_by_a_word_that_is_good_once(client: TestClient) -> None:
    from fastapi.testclient import TestClient as Client

    page = client.get(answered(client, popup="1"))
    assert page.status_code == 200 and "You are nora" in page.text
    word = page.text.partition('data-word="')[2].partition('"')[0]
    frame = Client(client.app, follow_redirects=False, base_url="https://studio.example")
    assert frame.post("/sign-in/word", data={"word": word, "next": "curate"}).headers["location"] == "../curate"
    assert frame.get("/me").json()["user"] == "nora"
    assert frame.post("/sign-in/word", data={"word": word}).status_code == 403
    assert client.get(f"/invitation?key={word}").status_code == 403


def test_a_hub_that_is_not_there_is_a_sentence(hub: StandInHub) -> None:
    gone = Settings.from_environment(hub.settings(OPENID_PROVIDER_URL="http://127.0.0.1:9"))
    with pytest.raises(Unavailable, match="cannot be asked who you are"):
        Hub(gone).begin("https://studio.example/login/callback")
    odd = Settings.from_environment(hub.settings(OPENID_PROVIDER_URL=f"{hub.url}/nothing"))
    with pytest.raises(Unavailable):
        Hub(odd).begin("https://studio.example/login/callback")
