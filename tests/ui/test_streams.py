"""What a client may hold open and let wait, before Gradio sees it; with Gradio's own queue, and streams that never end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from engine.rights import Person
from tests.drivers.asking import awaited

ANN, BOB = {"x-who": "ann"}, {"x-who": "bob"}


class Clients:
    """`streams` before an app that answers every POST with 200 and keeps every GET open until it is let go."""

    def __init__(self) -> None:
        from gradio.blocks import Blocks
        from gradio.queueing import EventQueue

        from ui.streams import Streams

        self.go = asyncio.Event()
        self.opened = 0
        self.queue = Blocks(analytics_enabled=False).queue(max_size=256)._queue
        self.events = self.queue.event_queue_per_concurrency_id["one"] = EventQueue("one", 1)
        self.streams = Streams(self._answer, queue=lambda: self.queue)
        self.open: list[asyncio.Task[httpx.Response]] = []
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(self._known), base_url="http://studio")

    async def _known(self, scope: Any, receive: Any, send: Any) -> None:
        who = dict(scope["headers"]).get(b"x-who", b"guest").decode()
        await self.streams({**scope, "state": {"person": Person(who, "visitor")}}, receive, send)

    async def _answer(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":
            self.opened += 1
            await self.go.wait()
        else:
            assert (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"data: 1\n\n"})

    async def stream(self, path: str, who: dict[str, str]) -> int | None:
        """The status of what is refused at once; None for what stays open."""
        asked = asyncio.ensure_future(self._http.get(f"/gradio_api/{path}", headers=who))
        await asyncio.wait({asked}, timeout=0.01)
        if asked.done():
            return asked.result().status_code
        self.open.append(asked)
        return None

    async def join(self, session: str, who: dict[str, str]) -> int:
        answer = await self._http.post("/gradio_api/queue/join", json={"session_hash": session}, headers=who)
        if answer.status_code == 200:
            self.events.queue.append(SimpleNamespace(session_hash=session, _id=session, concurrency_id="one"))  # type: ignore[arg-type]
            self.queue.pending_event_ids_session[session] = {session}
            self.queue.pending_messages_per_session[session] = asyncio.Queue()  # type: ignore[assignment]
        return answer.status_code

    async def read(self, session: str, who: dict[str, str]) -> None:
        """To its end; the event is over then, as Gradio's queue has it."""
        assert await self.stream(f"queue/data?session_hash={session}", who) is None
        self.events.queue = [event for event in self.events.queue if event.session_hash != session]
        self.queue.pending_event_ids_session[session].clear()
        await self.let_go()

    async def post(self, body: bytes) -> httpx.Response:
        return await self._http.post("/gradio_api/queue/join", content=body, headers=ANN)

    async def let_go(self) -> None:
        self.go.set()
        await asyncio.gather(*self.open)
        self.open, self.go = [], asyncio.Event()


def with_clients(talk: Callable[[Clients], Awaitable[None]]) -> None:
    @asynccontextmanager
    async def clients() -> AsyncIterator[Clients]:
        made = Clients()
        yield made
        await made.let_go()

    async def talked() -> None:
        async with clients() as made:
            await talk(made)

    awaited(talked())


def test_one_who_opens_streams_without_end_is_refused_and_nobody_else() -> None:
    async def talk(clients: Clients) -> None:
        refused = [await clients.stream(f"queue/data?session_hash=s{k}", ANN) for k in range(40)]
        assert refused == [None] * 24 + [429] * 16 and clients.opened == 24
        assert await clients.stream("queue/data?session_hash=other", BOB) is None
        await clients.let_go()
        assert await clients.stream("queue/data?session_hash=s1", ANN) is None

    with_clients(talk)


def test_heartbeats_are_for_browsers_and_cannot_be_opened_and_closed_all_the_time() -> None:
    async def talk(clients: Clients) -> None:
        assert await clients.stream("heartbeat/anything", {}) == 403
        clients.go.set()  # each closes at once
        statuses = [await clients.stream(f"heartbeat/h{k}", ANN) for k in range(100)]
        assert statuses == [200] * 60 + [429] * 40
        assert await clients.stream("heartbeat/mine", BOB) == 200

    with_clients(talk)


def test_a_session_answers_to_whoever_began_it() -> None:
    async def talk(clients: Clients) -> None:
        assert await clients.join("hers", ANN) == 200
        assert await clients.stream("queue/data?session_hash=hers", BOB) == 403
        assert await clients.stream("heartbeat/hers", BOB) == 403
        assert await clients.join("hers", BOB) == 403
        assert await clients.stream("queue/data?session_hash=hers", ANN) is None

    with_clients(talk)


def test_questions_that_nobody_reads_are_bounded_and_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(clients: Clients) -> None:
        assert [await clients.join(f"s{k}", ANN) for k in range(20)] == [200] * 12 + [429] * 8
        assert await clients.join("his", BOB) == 200
        assert await clients.stream("queue/data?session_hash=s3", ANN) is None
        monkeypatch.setattr("ui.streams._UNREAD_FOR_S", -1.0)
        assert await clients.join("new", ANN) == 200
        assert [event.session_hash for event in clients.events.queue] == ["s3", "new"]

    with_clients(talk)


def test_gradio_keeps_nothing_of_sessions_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read to the end, left in the middle, or with a heartbeat alone."""

    async def talk(clients: Clients) -> None:
        for k in range(5):
            assert await clients.join(f"read{k}", ANN) == 200
            await clients.read(f"read{k}", ANN)
        assert await clients.join("left", ANN) == 200
        assert await clients.stream("queue/data?session_hash=left", ANN) is None
        await clients.let_go()
        assert await clients.join("alive", ANN) == 200
        assert await clients.stream("heartbeat/alive", ANN) is None
        assert await clients.join("open", ANN) == 200
        assert await clients.stream("queue/data?session_hash=open", ANN) is None
        assert await clients.join("again", ANN) == 200
        assert {"read4", "left", "alive", "open"} < set(clients.queue.pending_event_ids_session), "they may come back"
        monkeypatch.setattr("ui.streams._UNREAD_FOR_S", -1.0)
        assert await clients.join("again", ANN) == 200
        assert set(clients.queue.pending_event_ids_session) == {"open", "again"}
        assert set(clients.queue.pending_messages_per_session) == {"open", "again"}
        assert [event.session_hash for event in clients.events.queue] == ["open", "again"]

    with_clients(talk)


def test_a_stream_of_a_session_that_never_asked_leaves_nothing() -> None:
    async def talk(clients: Clients) -> None:
        for k in range(20):
            assert await clients.stream(f"queue/data?session_hash=made-up{k}", ANN) is None
        await clients.let_go()
        assert not clients.streams._unread_since

    with_clients(talk)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[" * 100_000 + b"]" * 100_000, "nothing that can be read"),
        (b'{"session_hash": "\\ud800"}', "half a character"),
        (b'{"session_hash": 1}', "no usable session"),
        (b"\xff", "nothing that can be read"),
        (b"[]", "nothing that can be read"),
    ],
)
def test_what_is_no_message_of_a_page_gets_a_sentence(body: bytes, sentence: str) -> None:
    async def talk(clients: Clients) -> None:
        answer = await clients.post(body)
        assert answer.status_code == 400 and sentence in answer.json()["detail"]

    with_clients(talk)
