"""Text compressed on its way, and once and for all where it never changes.

What never changes (style sheet, code) is compressed at start, as small as it gets, under an address that names its content. What
does change (pages, JSON) is compressed as it is sent, by Starlette's middleware. Pictures, clips and answers to Range are
left alone: they are as small as they get, or their bytes are counted.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass

import brotli
from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send

__all__ = ["Compressing", "Precompressed"]

_LEAST_BYTES = 600
_LEVEL = 5
_PLAIN_PATHS = ("/media/", "/gradio_api/queue/")


@dataclass(frozen=True, slots=True)
class Precompressed:
    """A text that never changes; `name` is that of its content."""

    name: str
    media_type: str
    plain: bytes
    gzipped: bytes
    brotlied: bytes

    @classmethod
    def of(cls, text: str, media_type: str) -> Precompressed:
        plain = text.encode()
        name = hashlib.sha256(plain).hexdigest()[:16]
        return cls(name, media_type, plain, gzip.compress(plain, 9, mtime=0), brotli.compress(plain, quality=11))

    def response(self, request: Request) -> Response:
        accepted = request.headers.get("accept-encoding", "")
        headers = {
            "Cache-Control": "private, max-age=31536000, immutable",
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        for encoding, content in (("br", self.brotlied), ("gzip", self.gzipped)):
            if encoding in accepted:
                return Response(content, media_type=self.media_type, headers=headers | {"Content-Encoding": encoding})
        return Response(self.plain, media_type=self.media_type, headers=headers)


class Compressing(GZipMiddleware):
    """Starlette's, but for pictures, clips, streams and parts of files."""

    def __init__(self, app) -> None:  # type: ignore[no-untyped-def]
        super().__init__(app, minimum_size=_LEAST_BYTES, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "").removeprefix(scope.get("root_path", ""))
        if path.startswith(_PLAIN_PATHS) or "range" in Headers(raw=scope.get("headers", [])):
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
