"""Each request has an id, from the browser to the log: an ASGI middleware, the outermost one.

The id is what a proxy or program gave as X-Request-ID, where that is one, else a new one. The answer tells it in the same
header, every message that is logged meanwhile carries it (`engine.logs`), and what broke on our side is one sentence that says
it. What is answered is counted.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from engine.logs import REQUEST_ID

__all__ = ["Tracing"]

_LOG = logging.getLogger(__name__)
_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)


class Tracing:
    """Wraps `app`; `answered` is called with the method and the status of each answer."""

    def __init__(self, app: ASGIApp, *, answered: Callable[[str, int], None]) -> None:
        self.app = app
        self._answered = answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _ID.fullmatch(given) else secrets.token_hex(8)

        is_begun = False

        async def send_with_id(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "http.response.start":
                is_begun = True
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
                self._answered(scope["method"], message["status"])
            await send(message)

        token = REQUEST_ID.set(request_id)
        try:
            await self.app(scope, receive, send_with_id)
        except Exception:
            _LOG.exception("%s %s broke", scope["method"], scope["path"])
            if is_begun:  # the connection is cut, which says that this was not all
                raise
            sentence = f"Something broke on our side; the server's log says what, at request {request_id}."
            await JSONResponse({"error": sentence}, status_code=500)(scope, receive, send_with_id)
        finally:
            REQUEST_ID.reset(token)
