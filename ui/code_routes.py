"""Serves the ES modules of the screens: `GET /code/PATH`, for each .js file below ui/, and nothing else.

A module's address is its path below ui/, so that a relative import means the same to the browser and to node.

Not covered: bundling; the modules are few and small, and the browser asks again only whether they changed.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

__all__ = ["code_routes"]

_FOLDER = Path(__file__).parent


def code_routes() -> APIRouter:
    routes = APIRouter()
    # What is asked for is looked up among the files that are there, so no path can lead elsewhere.
    modules = {path.relative_to(_FOLDER).as_posix(): path for path in _FOLDER.rglob("*.js")}

    @routes.get("/code/{path:path}")
    def code(path: str, request: Request) -> Response:
        if path not in modules:
            return Response("There is no such module.", status_code=404, media_type="text/plain")
        text = modules[path].read_bytes()
        tag = f'"{hashlib.sha256(text).hexdigest()[:32]}"'
        headers = {"Cache-Control": "no-cache", "ETag": tag, "X-Content-Type-Options": "nosniff"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(text, media_type="text/javascript", headers=headers)

    return routes
