"""What every response says to the browser: who may run scripts, load pictures, embed the page.

An ASGI middleware: it adds headers, gives the page's own scripts a nonce (so that a script which got into the page by
way of data does not run), closes the routes of Gradio that the studio does not use, and refuses to answer to names that are
not the studio's, and to act for the pages of other sites (`ui.addresses`). The Content-Security-Policy allows pictures and
requests from this server only; 'unsafe-eval' is needed by gr.HTML.

Not covered: who asks (`ui.guests`), rights (`ui.rights`), and what Gradio's own routes check.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.addresses import Addresses

__all__ = ["SecurityHeaders"]

_OPEN = re.compile(
    r"/gradio_api/(info/?|upload|queue/(join|data)|heartbeat/[\w-]{1,64}|cancel|reset/?|run/predict|startup-events|theme\.css"
    r"|file=.*)"
)
"""All of Gradio's routes that pages and programs need. Its upload is answered by `ui.api.upload_routes` before it is reached."""

_CLOSED = re.compile(r"/(docs|redoc|openapi\.json|login(_check)?/?|logout|monitoring(/.*)?|gradio_api/.*)")

_ROOT = re.compile(rb'const root = "[^"]*";')
_STRANGE_NAME = (
    "This studio does not answer to that name; where it is one of its own, set STUDIO_PUBLIC_URL, or add it to "
    "STUDIO_ALLOWED_HOSTS."
)
_FOREIGN = "Another site asked for this. Where that was this studio's own address, set STUDIO_PUBLIC_URL to it."


class SecurityHeaders:
    """Wraps `app`. `addresses` are the studio's own; `pages` are the paths ("/", "/curate", ...) that answer with a page;
    `frame_ancestors` is the CSP source list of who may embed them ("'self'", or "https://huggingface.co" for a Space)."""

    def __init__(self, app: ASGIApp, *, addresses: Addresses, pages: Sequence[str], frame_ancestors: str):
        self.app = app
        self.addresses = addresses
        self.pages = frozenset(pages)
        self.frame_ancestors = frame_ancestors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        scope = self.addresses.as_asked(scope)
        path = scope["path"][len(scope["root_path"]) :]
        is_reading = scope["method"] in ("GET", "HEAD")
        answering: ASGIApp = self.app
        if not self.addresses.answers_to(headers.get("host", "")):
            answering = self._refuse(421, _STRANGE_NAME)
        elif path == scope["root_path"] != "":
            answering = RedirectResponse(f"{path}/")
        elif _CLOSED.fullmatch(path) and not _OPEN.fullmatch(path):
            answering = self._refuse(404, "Not found")
        elif not is_reading and self.addresses.is_foreign(headers):
            answering = self._refuse(403, _FOREIGN)
        elif path in self.pages and scope["method"] == "GET":
            await self._page(scope, receive, send)
            return
        await answering(scope, receive, self._with_headers(send, "'self'"))

    @staticmethod
    def _refuse(status: int, sentence: str) -> ASGIApp:
        return PlainTextResponse(sentence, status_code=status)

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Collects the page, which must not be compressed, and puts the nonce into its script tags."""
        path = scope["path"][len(scope["root_path"]) :]
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
            page = _rooted(bytes(body), path).replace(b"<script", f'<script nonce="{nonce}"'.encode())
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
                if headers.get("content-type", "").startswith("text/event-stream"):
                    headers["X-Accel-Buffering"] = "no"  # nginx would keep events back until there are many
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
                headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
                if self.frame_ancestors == "'self'":
                    headers["X-Frame-Options"] = "SAMEORIGIN"
            await send(message)

        return send_with_headers


def _rooted(page: bytes, path: str) -> bytes:
    """The page of `path` ("/curate"), whose scripts ask where the browser found it: below whatever address that is, since not
    every proxy says."""
    end = page.find(b"</script>", page.find(b"window.gradio_config ="))
    root = f"window.gradio_config.root = (location.origin + location.pathname).slice(0, -{len(path)});"
    page = page[:end] + root.encode() + _ROOT.sub(b"const root = window.gradio_config.root;", page[end:])
    return page.replace(b'href="/manifest.json"', b'href="./manifest.json"')
