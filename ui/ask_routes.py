"""What the Ask page tells the server when it can no longer wait for an answer.

    POST /ask/leave    the key of an attempt (`ui.answering`), as text: its page goes for good, so it stops. 204, always

A page that is closed has no time for an event of Gradio; the browser sends this one after it (`navigator.sendBeacon`).
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from ui.answering import Answering
from ui.rights import acts

__all__ = ["ask_routes"]

_MOST_BYTES = 100


def ask_routes(answering: Answering) -> APIRouter:
    routes = APIRouter()

    @routes.post("/ask/leave", dependencies=[acts("ask")])
    async def leave(request: Request) -> Response:
        key = bytearray()
        async for piece in request.stream():
            key += piece
            if len(key) > _MOST_BYTES:
                return Response(status_code=204)
        answering.leave(key.decode("ascii", "replace"))
        return Response(status_code=204)

    return routes
