"""Serves the ES modules of the Curate screen: `GET /code/NAME.js`, from client/, and nothing else.

Not covered: bundling; the modules are few and small, and the browser asks again only whether they changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

__all__ = ["code_routes"]

_FOLDER = Path(__file__).parent / "client"


def code_routes() -> APIRouter:
    routes = APIRouter()

    @routes.get("/code/{name}")
    def code(name: str, request: Request) -> Response:
        # Names are looked up among the files that are there, so no name can lead elsewhere.
        path = next((path for path in _FOLDER.glob("*.js") if path.name == name), None)
        if path is None:
            return Response("There is no such module.", status_code=404, media_type="text/plain")
        text = path.read_bytes()
        tag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/javascript", headers=headers)

    return routes
