"""What every response says to the browser: who may run scripts, load pictures, embed the page.

An ASGI middleware: it adds headers, gives the page's own scripts a nonce (so that a script which got into the page by
way of data does not run), closes the routes of Gradio that the studio does not use, and
refuses to act for the pages of other sites. The Content-Security-Policy allows pictures and requests from this server
only; 'unsafe-eval' is needed by gr.HTML.

Not covered: who asks (`ui.guests`), rights (`ui.rights`), and what Gradio's own routes check.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SecurityHeaders"]

_CLOSED = re.compile(
    r"/(docs|redoc|openapi\.json|monitoring(/.*)?|gradio_api/(openapi\.json|proxy=.*|process_recording|runs/?|vibe-.*))"
)
"""Gradio's routes that nothing here needs. Its upload is answered by `ui.api.upload_routes` before it is reached."""


class SecurityHeaders:
    """Wraps `app`. `pages` are the paths ("/", "/curate", ...) that answer with a page; `frame_ancestors` is the CSP
    source list of who may embed them ("'self'", or "https://huggingface.co" for a Space)."""

    def __init__(self, app: ASGIApp, *, pages: Sequence[str], frame_ancestors: str):
        self.app = app
        self.pages = frozenset(pages)
        self.frame_ancestors = frame_ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif _CLOSED.fullmatch(scope["path"]):
            await self._refuse(404, "Not found")(scope, receive, self._with_headers(send, "'self'"))
        elif scope["method"] not in ("GET", "HEAD") and _is_foreign(Headers(scope=scope)):
            await self._refuse(403, "Another site asked for this.")(scope, receive, self._with_headers(send, "'self'"))
        elif scope["path"] in self.pages and scope["method"] == "GET":
            await self._page(scope, receive, send)
        else:
            await self.app(scope, receive, self._with_headers(send, "'self'"))

    @staticmethod
    def _refuse(status: int, sentence: str) -> ASGIApp:
        return PlainTextResponse(sentence, status_code=status)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Collects the page, which must not be compressed, and puts the nonce into its script tags."""
        plain = [(name, value) for name, value in scope["headers"] if name != b"accept-encoding"]
        nonce = secrets.token_urlsafe(16)
        start: Message = {}
        body = bytearray()
        with_headers = self._with_headers(send, f"'self' 'nonce-{nonce}'")

        async def collect(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start":
                start = message
                return
            if message["type"] != "http.response.body":
                await send(message)
                return
            body.extend(message.get("body", b""))
            if message.get("more_body"):
                return
            page = bytes(body).replace(b"<script", f'<script nonce="{nonce}"'.encode())
            headers = MutableHeaders(raw=start["headers"])
            headers["content-length"] = str(len(page))
            headers["cache-control"] = "no-store"
            await with_headers(start)
            await with_headers({"type": "http.response.body", "body": page})

        await self.app({**scope, "headers": plain}, receive, collect)

    def _with_headers(self, send: Send, script_sources: str) -> Send:
        policy = "; ".join(
            (
                "default-src 'self'",
                f"script-src {script_sources} 'unsafe-eval'",
                "style-src 'self' 'unsafe-inline'",
                "img-src 'self' data: blob:",
                "media-src 'self' blob:",
                "font-src 'self' data:",
                "connect-src 'self'",
                "worker-src 'self' blob:",
                "object-src 'none'",
                "base-uri 'self'",
                "form-action 'self'",
                f"frame-ancestors {self.frame_ancestors}",
            )
        )

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", policy)
                for name in [name for name in headers if name.startswith("access-control-")]:
                    del headers[name]
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                if self.frame_ancestors == "'self'":
                    headers["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        return send_with_headers


def _is_foreign(headers: Headers) -> bool:
    """Whether a page of another site sent this. Gradio answers every site that asks; here, only our own pages may
    act. Programs send no Origin and are not stopped."""
    origin = headers.get("origin")
    if origin is None:
        return False
    own = {headers.get("host"), headers.get("x-forwarded-host")}
    return origin.partition("://")[2] not in own
