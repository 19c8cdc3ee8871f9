"""Roles x actions on the whole server: who comes in, what each role may do by HTTP, API and MCP, and whose pictures answer."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from engine.access import Access
from engine.access.use import Use
from engine.errors import NotAllowed, TooMuch
from engine.rights import LEAST_ROLE, ROLES, Person, may
from engine.settings import Settings
from engine.store import Query
from engine.trace import Example
from tests.browser.traces import picture_trace
from ui.guests import SESSION_COOKIE
from ui.studio import Studio

if TYPE_CHECKING:
    from fastapi.testclient import TestClient

OURS = {"X-Studio": "1"}
PASSWORD = "a long one"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    import app

    home = tmp_path_factory.mktemp("access")
    asked = {
        "STUDIO_HOME": str(home),
        "STUDIO_MODEL": "scripted",
        "STUDIO_ACCESS": "accounts",
        "STUDIO_GUESTS": "visitor",
    }
    studio = app.build_studio(Settings.from_environment(asked))
    studio.samples()
    for role in ROLES:
        studio.store.people.add(role, role)
    yield studio
    studio.worker.close(10)
    studio.store.close()


@pytest.fixture(scope="module")
def server(studio: Studio) -> Any:
    from ui.server import build_server

    return build_server(studio)


def browser(server: Any, studio: Studio, name: str | None = None) -> TestClient:
    """A browser of its own, signed in as somebody, or a guest's."""
    from fastapi.testclient import TestClient

    client = TestClient(server, headers=OURS, follow_redirects=False)
    if name is None:
        client.get("/")
    else:
        client.cookies.set(SESSION_COOKIE, studio.access.begin(name).secret)
    return client


def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (64, 48), (20 * seed, 100, 50)).save(buffer, "PNG")
    return buffer.getvalue()


def bring(client: TestClient, seed: int) -> str:
    return client.post("/media", content=picture(seed), headers={"X-File-Name": "mine.png"}).json()["sha256"]


def addresses(server: Any, **names: str) -> list[str]:
    """Every address that is read by one of `names`, such as a trace's id: found among the routes, so that a new one is among
    them."""
    from fastapi.routing import APIRoute, iter_route_contexts

    more = {"frame": "1"}
    routes = [one for one in iter_route_contexts(server.routes) if isinstance(one.original_route, APIRoute)]
    found = [one.path for one in routes if "GET" in one.methods and any("{" + name + "}" in one.path for name in names)]
    asked = {"/media/{sha256}/crop": "?box=0,0,1,1"}
    return [path.format(**names, **more) + asked.get(path, "") for path in found]


def test_an_invitation_a_session_and_its_end(server: Any, studio: Studio) -> None:
    admin, newcomer = browser(server, studio, "admin"), browser(server, studio)
    path = admin.post("/accounts/invite", json={"role": "annotator"}).json()["path"]
    shown = newcomer.get(f"/{path}")
    assert shown.status_code == 200 and "You are invited" in shown.text and "no-store" in shown.headers["cache-control"]
    said = {"key": path.partition("=")[2], "name": "Nora <b>", "password": "short"}
    refused = newcomer.post("/invitation", data=said)
    assert refused.status_code == 403 and "at least 8 characters" in refused.text and "Nora &lt;b&gt;" in refused.text
    accepted = newcomer.post("/invitation", data=said | {"password": PASSWORD})
    assert accepted.status_code == 303 and "HttpOnly" in accepted.headers["set-cookie"]
    me = newcomer.get("/me").json()
    assert (me["user"], me["role"], me["is_guest"]) == ("Nora <b>", "annotator", False)
    assert newcomer.get(f"/{path}").status_code == 403
    assert newcomer.get("/curate/queue").status_code == 200

    other = browser(server, studio)
    signed = other.post("/sign-in", data={"name": "nora <b>", "password": PASSWORD, "next": "curate?status=new"})
    assert signed.headers["location"] == "./curate?status=new"
    for elsewhere in ("//evil.example", "https://evil.example", "\\\\evil", "curate\r\nX: y"):
        signed = other.post("/sign-in", data={"name": "nora <b>", "password": PASSWORD, "next": elsewhere})
        assert signed.headers["location"] == "./"
    sessions = other.get("/accounts/me").json()["keys"]
    assert sum(one["is_this"] for one in sessions) == 1 and len(sessions) == 6
    for one in sessions:
        if not one["is_this"]:
            assert other.post("/accounts/end-key", json={"id": one["id"]}).status_code == 200
    assert newcomer.get("/me").json()["is_guest"]
    assert other.post("/sign-out").status_code == 303 and other.get("/me").json()["is_guest"]


def test_who_must_sign_in_is_sent_there_and_a_program_is_told(server: Any, studio: Studio, monkeypatch) -> None:
    closed = Settings.from_environment({"STUDIO_ACCESS": "accounts"})
    monkeypatch.setattr(studio.access, "settings", closed)
    from fastapi.testclient import TestClient

    client = TestClient(server, follow_redirects=False)
    sent = client.get("/curate?trace=1")
    assert (sent.status_code, sent.headers["location"]) == (303, "sign-in?next=curate%3Ftrace%3D1")
    told = client.get("/curate/queue")
    assert told.status_code == 401 and "a program brings a token" in told.json()["error"]
    for path in ("/media/x", "/me", "/mcp", "/gradio_api/info", "/config"):
        assert client.get(path).status_code == 401
    wrong = client.get("/me", headers={"Authorization": "Bearer prt_x"})
    assert wrong.status_code == 401 and "This token is unknown" in wrong.json()["error"]
    page = client.get("/sign-in?next=curate")
    assert (
        page.status_code == 200
        and 'value="curate"' in page.text
        and "script-src 'self'" in page.headers["content-security-policy"]
    )
    for path in ("/studio.css", "/sign-in.js", "/health"):
        assert client.get(path).status_code == 200
    assert client.post("/sign-in", data={"name": "admin", "password": "wrong one"}).status_code == 403


def test_a_picture_answers_to_whoever_may_see_a_trace_that_holds_it(server: Any, studio: Studio) -> None:
    one, other, reader = browser(server, studio), browser(server, studio), browser(server, studio, "admin")
    sha256 = bring(one, 1)

    def seen(client: TestClient) -> set[int]:
        paths = [path for path in addresses(server, sha256=sha256) if "/frame/" not in path]  # of clips
        assert len(paths) == 3
        return {client.get(path).status_code for path in paths}

    assert (seen(one), seen(other), seen(reader)) == ({200}, {404}, {404})
    # Whoever brings the same bytes has them; the hash alone opens nothing.
    assert bring(other, 1) == sha256 and seen(other) == {200} and seen(reader) == {404}
    sample = studio.samples()[0].sha256
    assert other.get(f"/media/{sample}").status_code == 200


def test_what_a_visitor_asks_is_theirs_until_it_is_sent(server: Any, studio: Studio) -> None:
    from ui.answering import Answering

    one, other, reader = browser(server, studio), browser(server, studio), browser(server, studio, "annotator")
    name = one.get("/me").json()["user"]
    sha256 = bring(one, 2)
    example = Example("Whose is this?", (studio.media.load(sha256).media,))
    *_, last = Answering(studio).ask("page", example, author=name).watch()
    trace = last.trace_id
    assert trace is not None and studio.store.traces.get(trace).item.is_private

    def listed(client: TestClient) -> bool:
        return trace in {one["id"] for one in client.get("/curate/queue?search=whose").json()["items"]}

    def reached() -> set[int]:
        paths = [path for path in addresses(server, sha256=sha256, trace_id=trace) if "/frame/" not in path]
        assert len(paths) >= 6
        paths += [f"/curate/pair?left={trace}&right={trace}", f"/curate/compare?trace={trace}&old=draft&new=draft"]
        return {reader.get(path).status_code for path in paths}

    def counted() -> int:
        return reader.get("/curate/queue").json()["counts"]["new"]

    before = counted()
    assert not listed(reader) and reached() == {404}
    assert studio.store.traces.counts()["new"] == before + 1 and trace not in studio.store.traces.ids()
    acts = (
        ("review", {"revision": "x", "verdict": "accepted", "reason": ""}),
        ("tag", {"tag": "mine"}),
        ("hold", {}),
        ("edit", {"counter": 0, "key": "k", "edit": {"edit": "set_answer", "answer": "x"}}),
    )
    for path, body in acts:
        assert reader.post(f"/curate/{path}", json={"trace": trace, **body}).status_code == 404
    [passed] = reader.post("/curate/bulk", json={"traces": [trace], "verdict": "rejected"}).json()["passed_over"]
    assert passed["why"] == "It is not there."
    mine = one.get("/accounts/me").json()["traces"]
    assert [(row["question"], row["is_private"]) for row in mine] == [("Whose is this?", True)]
    assert other.get("/accounts/me").json()["traces"] == []
    assert other.post("/accounts/delete", json={"traces": [trace]}).status_code == 403

    studio.workbench.send_to_review(trace, name)
    assert listed(reader) and reached() == {200} and counted() == before
    assert {other.get(path).status_code for path in addresses(server, sha256=sha256)} == {404}
    assert one.post("/accounts/delete", json={"traces": [trace]}).json()["traces"] == 1
    assert not listed(reader) and one.get(f"/media/{sha256}").status_code == 404


def test_two_cookies_of_one_person_are_one_reviewer(server: Any, studio: Studio) -> None:
    store = studio.store
    trace = picture_trace(store, studio.media, 5, size=(64, 48)).id
    store.rounds.ask(trace, 2, "trainer")
    guest, client = browser(server, studio), browser(server, studio)
    name = guest.get("/me").json()["user"]
    head = store.revisions.head(trace).id
    store.reviews.record(head, name, "rejected")
    store.reviews.record(head, "annotator", "rejected")
    store.reservations.assign(trace, name, "trainer")
    assert store.rounds.of(trace).state == "agreed"
    # The guest turns out to be the annotator: one person has decided, and what they did speaks of them.
    guest.cookies.set(SESSION_COOKIE, studio.access.begin("annotator").secret)
    assert guest.get("/accounts/me").json()["claimable"] == name
    assert guest.post("/accounts/claim", json={}).json()["claimable"] is None
    assert (store.rounds.of(trace).state, store.rounds.of(trace).given) == ("open", 1)
    assert {one.reviewer for one in store.reviews.list(trace)} == {"annotator"}
    assert [one.person for one in store.reservations.assignments(trace)] == ["annotator"]
    assert name not in {event.who for event in store.history.of(trace)} | {e.detail for e in store.history.of(trace)}
    assert [one.item.id for one in store.queue.page(Query(assigned_to="annotator")).items] == [trace]
    assert store.verify(None).problems == ()
    # Nobody comes as that guest again, and nobody else claims it.
    assert studio.access.guest_of(studio.access.signed(name)) is None
    assert client.post("/accounts/claim", json={}).status_code == 422


def test_a_decision_on_many_is_taken_back_by_who_made_it(server: Any, studio: Studio) -> None:
    one, other = browser(server, studio, "annotator"), browser(server, studio, "trainer")
    trace = picture_trace(studio.store, studio.media, 6, size=(64, 48)).id
    action = one.post("/curate/bulk", json={"traces": [trace], "verdict": "rejected"}).json()["action"]
    assert other.post("/curate/bulk/undo", json={"action": action}).status_code == 403
    assert one.post("/curate/bulk/undo", json={"action": action}).json()["undone"] == 1


def test_names_that_are_long_or_turn_the_line_are_kept_so_that_they_can_be_shown(server: Any, studio: Studio) -> None:
    client = browser(server, studio)
    said = client.post("/media", content=picture(7), headers={"X-File-Name": "a%E2%80%AEgnp.exe" + "x" * 5000}).json()
    kept = studio.store.media.name_of(said["sha256"])
    assert len(kept) == 200 and kept.startswith("agnp.exe") and said["name"] == kept


@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_do_what_the_table_says_by_http(server: Any, studio: Studio, role: str) -> None:
    from fastapi.routing import APIRoute, iter_route_contexts

    from ui.rights import action_of

    client = browser(server, studio, role)
    refused: dict[str, str] = {}
    asked: dict[str, str] = {}
    for route in iter_route_contexts(server.routes):
        if not isinstance(route.original_route, APIRoute):
            continue
        [action] = [action_of(one.call) for one in route.dependant.dependencies]
        assert action is not None
        method = sorted(route.methods)[0]
        name = f"{method} {route.path}"
        if name in ("POST /sign-out", "DELETE /mcp", "POST /bin/empty", "POST /bin/restore"):
            continue  # what they do would be done
        asked[name] = action
        path = route.path.replace(":path", "")
        for part in ("sha256", "trace_id", "job_id", "frame", "upload", "path", "name"):
            path = path.replace("{" + part + "}", "1")
        answer = client.request(method, path, content=b"[]" if method == "POST" else None)
        if answer.status_code == 403 and "your role here is" in answer.text:
            refused[name] = action
    assert refused == {name: action for name, action in asked.items() if not may(role, action)}  # type: ignore[arg-type]


def test_each_role_may_do_what_the_table_says_by_gradio(server: Any, studio: Studio) -> None:
    import gradio as gr
    from fastapi import Request

    from tests.test_rights import actions_of_handlers, handlers_of

    actions = actions_of_handlers(server)
    for role in ROLES:
        asked = gr.Request(request=Request({"type": "http", "state": {"person": Person("x", role)}}))
        for name, handler in handlers_of(server).items():
            if may(role, actions[name]):  # type: ignore[arg-type]
                continue
            with pytest.raises(gr.Error, match=f"your role here is {role}"):
                called = handler(asked)
                next(called)
    assert set(actions.values()) <= set(LEAST_ROLE)


def test_each_role_may_do_what_the_table_says_by_mcp(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    from tests.drivers.asking import awaited
    from ui.answering import Answering
    from ui.api import mcp_tools
    from ui.api.endpoint import Endpoint, Services
    from ui.api.table import ENDPOINTS

    monkeypatch.setattr(Endpoint, "answers", lambda *given: (answer for answer in [{"steps": []}]))
    services = Services(studio, Answering(studio))
    for role in ROLES:
        request = SimpleNamespace(scope={"state": {"person": Person("x", role)}})
        done = set()
        for one in ENDPOINTS:
            with suppress(NotAllowed):
                awaited(mcp_tools._call(one, services, SimpleNamespace(request=request), {}))
                done.add(one.name)
        assert done == {one.name for one in ENDPOINTS if may(role, one.action)}


def test_a_visitor_has_so_much_in_an_hour_and_is_told(server: Any, studio: Studio, monkeypatch) -> None:
    limits = {"STUDIO_ASKS_PER_HOUR": "2", "STUDIO_TOKENS_PER_HOUR": "10", "STUDIO_UPLOAD_MB_PER_HOUR": "1"}
    settings = replace(Settings.from_environment(limits), home=studio.settings.home)
    use = Use(settings)
    monkeypatch.setattr(studio.access, "use", use)
    one = Person("one", "visitor", address="10.0.0.1")
    use.ask(one)
    use.said("one", 10)
    with pytest.raises(TooMuch, match="10 tokens in this hour.*more in 60 min"):
        use.ask(one)
    # Another name brings nothing, another address does; who runs jobs is not counted.
    with pytest.raises(TooMuch):
        use.ask(replace(one, name="two"))
    elsewhere = replace(one, name="two", address="10.0.0.2")
    for _ in range(2):
        use.ask(elsewhere)
    with pytest.raises(TooMuch, match="2 questions in this hour"):
        use.ask(elsewhere)
    for _ in range(5):
        use.ask(replace(one, role="trainer"))
    client = browser(server, studio)
    assert client.post("/media", content=picture(8), headers={"X-File-Name": "a.png"}).status_code == 200
    use.brought(replace(one, name=client.get("/me").json()["user"], address="testclient"), 1_000_000)
    refused = client.post("/media", content=picture(9), headers={"X-File-Name": "a.png"})
    assert refused.status_code == 429 and "You have had 1 MB in this hour" in refused.json()["error"]
    [told] = client.post("/gradio_api/upload", files={"files": picture(9)}).json()
    assert told.startswith("refused: You have had 1 MB")
    use.settings = replace(settings, min_free_mb=10**9)
    full = browser(server, studio, "admin").post("/media", content=picture(9), headers={"X-File-Name": "a.png"})
    assert full.status_code == 507 and "disk is nearly full" in full.json()["error"]
    allowed_mb = sum(one.stat().st_size for one in studio.settings.home.rglob("*") if one.is_file()) // 1_000_000 + 2
    assert "\nstudio_home_bytes " not in browser(server, studio, "admin").get("/metrics").text
    use.settings = replace(settings, max_home_mb=allowed_mb)
    use.require_room()
    (studio.settings.home / "more").write_bytes(bytes(3_000_000))
    use.require_room()  # counted once a minute
    monkeypatch.setattr("engine.access.use._COUNTED_EVERY_S", 0.0)
    host = browser(server, studio, "admin")
    full = host.post("/media", content=picture(9), headers={"X-File-Name": "a.png"})
    assert full.status_code == 507 and f"home is full ({allowed_mb} MB, STUDIO_MAX_HOME_MB)" in full.json()["error"]
    told, text = host.get("/health").json(), host.get("/metrics").text
    assert told["max_home_bytes"] == allowed_mb * 1_000_000 <= told["home_bytes"] <= (allowed_mb + 4) * 1_000_000
    [sentence] = told["problems"]
    assert f"of {allowed_mb} MB (STUDIO_MAX_HOME_MB)" in sentence
    assert "\nstudio_max_home_bytes " in text and "\nstudio_home_bytes " in text
    page = host.get("/host").text
    assert sentence in page and "What the home takes." in page
    assert client.get("/health").json()["home_bytes"] is None
    (studio.settings.home / "more").unlink()
    use.require_room()


def test_pages_that_come_and_go_without_end_are_not_all_remembered(studio: Studio) -> None:
    from ui.answering import Answering

    answering = Answering(studio)
    for number in range(2500):
        answering.turn(f"page {number}", "a trace")
    answering.turn("page 2499", None)
    assert answering.is_at("page 2498", "a trace") and answering.is_at("page 2499", None)
    assert not answering.is_at("page 10", "a trace") and len(answering._seen_by) <= 2000


def test_who_asks_many_leaves_room_for_others(studio: Studio) -> None:
    from threading import Event

    from ui.answering import AT_ONCE, Answering

    go, begun = Event(), []

    class Slow(Answering):
        def _wait(self, attempt, tell):
            begun.append(attempt.author)
            assert go.wait(30)
            return False

    answering = Slow(studio)
    example = Example("?", (studio.media.load(studio.samples()[0].sha256).media,))
    many = [answering.ask(f"page {k}", example, author="guest-0000000a") for k in range(AT_ONCE + 2)]
    other = answering.ask("another", example, author="guest-0000000b")
    admin = [answering.ask(f"admin {k}", example, author="admin") for k in range(AT_ONCE + 1)]
    deadline, waiting = time.monotonic() + 30, []
    while (len(begun), len(waiting)) != (2 * AT_ONCE + 2, 2) and time.monotonic() < deadline:
        time.sleep(0.01)
        waiting = [one for one in many if one.progress.waiting]
    assert sorted(begun) == ["admin"] * (AT_ONCE + 1) + ["guest-0000000a"] * AT_ONCE + ["guest-0000000b"]
    waiting[0].stop()
    go.set()
    assert {progress.stop_reason for one in (*many, other, *admin) for progress in one.watch() if progress.is_over} == {
        "cancelled"
    }
    assert begun.count("guest-0000000a") == AT_ONCE + 1


def test_a_page_that_goes_again_and_again_is_one_timer(studio: Studio, monkeypatch) -> None:
    import threading

    from ui.answering import Answering

    begun: list[threading.Timer] = []

    class Timer(threading.Timer):
        def start(self) -> None:
            begun.append(self)

    monkeypatch.setattr("ui.answering.threading.Timer", Timer)
    answering, go = Answering(studio), threading.Event()
    monkeypatch.setattr(answering, "_wait", lambda attempt, tell: go.wait(30) and False)
    attempt = answering.ask(
        "page", Example("?", (studio.media.load(studio.samples()[0].sha256).media,)), author="admin"
    )
    for _ in range(20):
        answering.leave(attempt.id)
    assert [timer.finished.is_set() for timer in begun] == [True] * 19 + [False]
    begun[-1].function()
    assert attempt.is_cancelled and not answering._leaving
    go.set()
    assert attempt.wait_over(30)


def test_nothing_is_sent_to_review_where_the_queue_takes_nothing(studio: Studio) -> None:
    from engine.workbench import Workbench

    asked = {"STUDIO_ACCESS": "accounts", "STUDIO_QUEUE_TAKES": "none"}
    bench = Workbench(
        studio.store, studio.media, studio.policy, access=Access(Settings.from_environment(asked), studio.store)
    )
    made = picture_trace(studio.store, studio.media, 9, size=(64, 48))
    trace = studio.store.traces.record(studio.store.revisions.head(made.id).trace, author="visitor", is_private=True)
    with pytest.raises(NotAllowed, match="is not reviewed here"):
        bench.send_to_review(trace.id, "visitor")
