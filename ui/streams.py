"""What Gradio's queue and its event streams may cost: limits for each who asks and in all, and questions nobody waits for.

An ASGI middleware before Gradio. A page joins the queue with a session of its own making and then reads what comes of it from
one stream; beside it runs a heartbeat. Gradio bounds none of these, so one client could take them all from everybody.

Invariants: a session belongs to whoever joined or read first, and answers to nobody else; a heartbeat is for a browser with our
cookie; a question that nobody reads the answer of is dropped from the queue after a while, and so is whatever Gradio keeps of
a session that nobody reads; what is over a limit is refused with 429 and a sentence before Gradio sees it, what is no object of
a page with 400.

Not covered: what a question costs once the model answers it; routes that are closed altogether (`ui.security`).
"""

from __future__ import annotations

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.errors import InvalidInput
from ui.curating.messages import parse_object
from ui.guests import user_of

__all__ = ["Streams"]

_STREAMS_OF_ONE, _STREAMS = 24, 400
_WAITING_OF_ONE = 12
_HEARTBEATS_OF_ONE, _HEARTBEATS_WITHIN_S = 60, 60.0
_UNREAD_FOR_S = 30.0
_SESSIONS = 2000
_MOST_BYTES = 2_000_000
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([\w-]{1,64})")
_ACTS = ("/gradio_api/queue/join", "/gradio_api/cancel", "/gradio_api/run/predict")
_NAMELESS = "guest at "
_MANY_STREAMS = "You have too many pages of this studio open; close some of them."
_BUSY = "Too many pages of this studio are open; try again in a minute."
_MANY_QUESTIONS = "Too many of your questions wait already; try again when they are answered."
_NOT_YOURS = "This page belongs to somebody else; reload it."


class Streams:
    """Wraps `app`, in which Gradio is mounted at the root; `queue()` is Gradio's queue."""

    def __init__(self, app: ASGIApp, *, queue: Callable[[], Any]) -> None:
        self.app = app
        self._queue = queue
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._open: Counter[str] = Counter()
        self._read: Counter[str] = Counter()
        self._unread_since: dict[str, float] = {}
        self._heartbeats: OrderedDict[str, list[float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(scope.get("root_path", "")) if scope["type"] == "http" else ""
        if path == "/gradio_api/queue/data" and scope["method"] == "GET":
            session = parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", [""])[0]
            await self._stream(session, scope, receive, send, is_reading=True)
        elif (beat := _HEARTBEAT.fullmatch(path)) and scope["method"] == "GET":
            await self._heartbeat(beat[1], scope, receive, send)
        elif path in _ACTS and scope["method"] == "POST":
            await self._act(path, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _heartbeat(self, session: str, scope: Scope, receive: Receive, send: Send) -> None:
        who, now = _who(scope), time.monotonic()
        if who.startswith(_NAMELESS):
            await _refused(403, "A heartbeat is for pages of this studio.")(scope, receive, send)
            return
        recent = [then for then in self._heartbeats.pop(who, []) if now - then < _HEARTBEATS_WITHIN_S]
        self._heartbeats[who] = [*recent, now][-_HEARTBEATS_OF_ONE:]
        if len(self._heartbeats) > _SESSIONS:
            self._heartbeats.popitem(last=False)
        if len(recent) >= _HEARTBEATS_OF_ONE:
            await _refused(429, _MANY_STREAMS)(scope, receive, send)
            return
        await self._stream(session, scope, receive, send, is_reading=False)

    async def _stream(self, session: str, scope: Scope, receive: Receive, send: Send, *, is_reading: bool) -> None:
        who = _who(scope)
        if not self._is_own(session, who):
            await _refused(403, _NOT_YOURS)(scope, receive, send)
        elif self._open[who] >= _STREAMS_OF_ONE or self._open.total() >= _STREAMS:
            is_mine = self._open[who] >= _STREAMS_OF_ONE
            await _refused(429, _MANY_STREAMS if is_mine else _BUSY)(scope, receive, send)
        else:
            self._open[who] += 1
            if is_reading:
                self._read[session] += 1
                self._unread_since.pop(session, None)
            try:
                await self.app(scope, receive, send)
            finally:
                _count_down(self._open, who)
                if is_reading:
                    _count_down(self._read, session)
                    self._left(session)

    async def _act(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _received(receive)
        try:
            said = parse_object(body)
        except InvalidInput as error:
            await _refused(400, str(error))(scope, receive, send)
            return
        session, who = said.get("session_hash"), _who(scope)
        if not isinstance(session, str) or not 0 < len(session) <= 64:
            await _refused(400, "The page sent no usable session; reload it and try again.")(scope, receive, send)
        elif not self._is_own(session, who):
            await _refused(403, _NOT_YOURS)(scope, receive, send)
        elif path.endswith("/join") and await self._waiting(who) >= _WAITING_OF_ONE:
            await _refused(429, _MANY_QUESTIONS)(scope, receive, send)
        else:
            if path.endswith("/join") and not self._read[session]:
                self._unread_since[session] = time.monotonic()
            await self.app(scope, _replayed(body, receive), send)

    def _left(self, session: str) -> None:
        """Gradio keeps the (then empty) set of its events for each session that ever asked, and the queue of its messages for
        2,000. The page may come back at once: it opens a stream for an answer that came before it heard of its question."""
        if not self._read[session] and session in self._queue().pending_event_ids_session:
            self._unread_since[session] = time.monotonic()

    async def _waiting(self, who: str) -> int:
        """How many events of theirs wait in the queue; those that nobody has read for long are dropped first."""
        queue, now = self._queue(), time.monotonic()
        for session in [one for one, since in self._unread_since.items() if now - since > _UNREAD_FOR_S]:
            del self._unread_since[session]
            await queue.clean_events(session_hash=session)
            queue.pending_messages_per_session.pop(session, None)
            queue.pending_event_ids_session.pop(session, None)
        waiting = (event for one in queue.event_queue_per_concurrency_id.values() for event in one.queue)
        return sum(self._owners.get(event.session_hash) == who for event in waiting)

    def _is_own(self, session: str, who: str) -> bool:
        owner = self._owners.setdefault(session, who)
        self._owners.move_to_end(session)
        if len(self._owners) > _SESSIONS:
            self._owners.popitem(last=False)
        return owner == who


def _who(scope: Scope) -> str:
    """The person, or the address of a program that says no name."""
    person = user_of(Request(scope))
    address = (scope.get("client") or ("?",))[0]
    return f"{_NAMELESS}{address}" if person == "guest" else person


def _count_down(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


async def _received(receive: Receive) -> bytes:
    body, more = bytearray(), True
    while more and len(body) <= _MOST_BYTES:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def _refused(status: int, sentence: str) -> ASGIApp:
    headers = {"Retry-After": "30"} if status == 429 else {}
    return JSONResponse({"detail": sentence}, status_code=status, headers=headers)
