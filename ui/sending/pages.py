"""The middleware around Gradio's pages: their title, what a link to them shows, their code, and what stands there first.

Gradio's template names Gradio and its own pictures in what link previews read; here they name the studio, and nothing is fetched
from elsewhere. An address that leads nowhere, opened as a page, gets one that leads home.

Invariant: what a page is about is looked up for whoever asks; where looking it up fails, the page comes without it.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.sending.first_page import FirstPage, first_html

__all__ = ["About", "Pages"]

_LOG = logging.getLogger(__name__)
_STUDIO = "Pixel Reasoner Studio"
_DESCRIPTION = (
    "Ask about a picture or a clip, watch the model look closer, correct it, and train it on what you approved."
)
_PREVIEW = re.compile(rb'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*?/>')
_TITLE = re.compile(rb"<title>.*?</title>", re.S)
_BODY = re.compile(rb"<body\b[^>]*>")
_DARK = (
    "<script>(()=>{let t=new URLSearchParams(location.search).get('__theme');"
    "try{t=t||localStorage.getItem('studio-theme')}catch{}"
    "if(t?t==='dark':matchMedia('(prefers-color-scheme: dark)').matches)document.body.classList.add('dark')})()</script>"
)
_LOST = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Not found · {studio}</title><base href="{home}"><link rel="stylesheet" href="{style}"></head><body>
<main class="lost"><h1>There is nothing at this address</h1><p>It may have been mistyped, or what stood here is gone.</p>
<p><a href="./">Go to {studio}</a></p></main></body></html>"""


@dataclass(frozen=True, slots=True)
class About:
    """What a page is about: its `title` (the studio's name is added), and what stands there first."""

    title: str
    first: FirstPage


class Pages:
    """Wraps `app`. `about` says of each page's path ("/", "/curate", ...) what it is about, asked by a request; `code`
    holds the address of its modules, `style` is that of the style sheet, both relative to the studio's first page."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        about: Mapping[str, Callable[[Request], About]],
        code: Mapping[str, str],
        style: str,
        ahead: Mapping[str, str],
    ):
        self.app = app
        self.about = about
        self.code = code
        self.style = style
        self.ahead = ahead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        root = scope.get("root_path", "")
        path = scope["path"].removeprefix(root)
        if path in self.about:
            change = await run_in_threadpool(self._change, path, Request(scope))
            await self.app(scope, receive, _Whole(send, change))
        elif Headers(scope=scope).get("sec-fetch-dest") in ("document", "iframe"):
            lost = _LOST.format(studio=_STUDIO, home=escape(f"{root}/"), style=escape(self.style))
            await self.app(scope, receive, _Found(scope, receive, send, lost))
        else:
            await self.app(scope, receive, send)

    def _change(self, path: str, request: Request) -> Callable[[bytes], bytes]:
        """What makes Gradio's page ours."""
        try:
            about = self.about[path](request)
        except Exception:
            _LOG.exception("what stands at %s first could not be drawn", path)
            return lambda page: page
        title = f"{about.title} · {_STUDIO}"
        head = (
            f"<title>{escape(title)}</title>"
            f'<meta name="description" content="{escape(_DESCRIPTION)}">'
            f'<meta property="og:type" content="website"><meta property="og:site_name" content="{_STUDIO}">'
            f'<meta property="og:title" content="{escape(title)}">'
            f'<meta property="og:description" content="{escape(_DESCRIPTION)}"><meta name="twitter:card" content="summary">'
            f'<link rel="stylesheet" href="{escape(self.style)}">'
            f'<link rel="modulepreload" id="studio-code" href="{escape(self.code[path])}">'
            f"{self.ahead.get(path, '')}"
        ).encode()
        body = (_DARK + first_html(about.first)).encode()

        def change(page: bytes) -> bytes:
            page = _TITLE.sub(b"", _PREVIEW.sub(b"", page))
            page = page.replace(b"</head>", head + b"</head>", 1)
            return _BODY.sub(lambda found: found[0] + body, page, count=1)

        return change


class _Whole:
    """Collects a page that Gradio sends, and sends it on changed."""

    def __init__(self, send: Send, change: Callable[[bytes], bytes]) -> None:
        self._send, self._change = send, change
        self._start: Message = {}
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body.extend(message.get("body", b""))
            if not message.get("more_body"):
                page = bytes(self._body)
                headers = MutableHeaders(raw=self._start["headers"])
                if headers.get("content-type", "").startswith("text/html") and self._start["status"] == 200:
                    page = self._change(page)
                    headers["content-length"] = str(len(page))
                await self._send(self._start)
                await self._send({"type": "http.response.body", "body": page})


class _Found:
    """Sends a response on, but for a 404, instead of which a page is sent."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, lost: str) -> None:
        self._scope, self._receive, self._send, self._lost = scope, receive, send, lost
        self._is_lost = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 404:
            self._is_lost = True
            await HTMLResponse(self._lost, status_code=404)(self._scope, self._receive, self._send)
        elif not self._is_lost:
            await self._send(message)
