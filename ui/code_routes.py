"""Serves the code of the screens: `GET /code/NAME.js`, one module for each screen, named by its content.

Not covered: what goes into it (`ui.sending.bundles`, `ui.shell`).
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ui.sending.compressing import Precompressed

__all__ = ["code_address", "code_routes"]


def code_address(code: Precompressed) -> str:
    """Relative to the studio's first page."""
    return f"code/{code.name}.js"


def code_routes(codes: Mapping[str, Precompressed]) -> APIRouter:
    """`codes` are those of the pages."""
    routes = APIRouter()
    known = {code_address(code): code for code in codes.values()}

    @routes.get("/code/{name}")
    def code(name: str, request: Request) -> Response:
        found = known.get(f"code/{name}")
        if found is None:
            return Response("There is no such module.", status_code=404, media_type="text/plain")
        return found.response(request)

    return routes
