"""What the Curate screen asks of the server; JSON both ways.

    GET  /curate/queue?status=&search=&order=&after=     a page of the queue, with counts by status
    GET  /curate/trace/{id}                              one trace (format: ui.curating.presenting)
    POST /curate/review        {"trace", "revision", "verdict", "reason"}     a verdict on a revision that must be the head
    POST /curate/review/undo   {"trace"}                 takes the person's latest verdict on the trace back

Invariants: whatever is posted names the revision that the person saw, and is refused with 409 where that is no longer what
stands; a refusal is one sentence in {"error": ...}; a post needs a header that another site cannot send.

Not covered: rights (`ui.people`).
"""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from engine.errors import Conflict, InvalidInput, NotFound, PersonError
from ui.curating.presenting import item_value, trace_value
from ui.people import user_of
from ui.studio import Studio

__all__ = ["PAGE_SIZE", "answer", "curate_routes", "read_json", "text_of"]

PAGE_SIZE = 50
MAX_BODY_BYTES = 2_000_000
MAX_REASON_CHARACTERS = 1000


def curate_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.get("/queue")
    def queue(status: str = "", search: str = "", order: str = "newest", after: str = "") -> JSONResponse:
        return answer(lambda: _queue(studio, status, search, order, after))

    @routes.get("/trace/{trace_id}")
    def trace(trace_id: str) -> JSONResponse:
        return answer(lambda: _trace(studio, trace_id))

    @routes.post("/review")
    async def review(request: Request) -> JSONResponse:
        body = await read_json(request)
        return await run_in_threadpool(answer, lambda: _review(studio, body, user_of(request)))

    @routes.post("/review/undo")
    async def undo(request: Request) -> JSONResponse:
        body = await read_json(request)
        return await run_in_threadpool(answer, lambda: _undo(studio, body, user_of(request)))

    return routes


def answer(make: Any) -> JSONResponse:
    """What `make()` returns as JSON, or the sentence of a PersonError with 404, 409 or 422."""
    try:
        value, status = make(), 200
    except PersonError as error:
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
        value = {"error": str(error)}
    return JSONResponse(value, status_code=status, headers={"Cache-Control": "no-store"})


async def read_json(request: Request) -> dict[str, Any]:
    """The posted object; {} where there is none that can be read, which every handler refuses."""
    # A header of our own cannot be sent by a form or another site without asking first, and nobody answers.
    if "x-studio" not in request.headers:
        return {}
    received = bytearray()
    async for chunk in request.stream():
        received.extend(chunk)
        if len(received) > MAX_BODY_BYTES:
            return {}
    try:
        body = json.loads(received)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def text_of(body: dict[str, Any], name: str, max_characters: int = 100) -> str:
    """A posted text. Raises InvalidInput where it is not there, no text or too long."""
    value = body.get(name)
    if not isinstance(value, str) or len(value) > max_characters:
        raise InvalidInput(f"The page sent no usable {name}; reload it and try again.")
    return value


def _queue(studio: Studio, status: str, search: str, order: str, after: str) -> dict[str, Any]:
    traces = studio.store.traces
    page = traces.page(status or None, search or None, order, PAGE_SIZE, after=after or None)  # type: ignore[arg-type]
    return {
        "items": [item_value(item) for item in page.items],
        "total": page.total,
        "is_total_exact": page.is_total_exact,
        "counts": traces.counts(),
    }


def _trace(studio: Studio, trace_id: str) -> dict[str, Any]:
    store = studio.store
    return trace_value(studio, store.traces.get(trace_id), store.revisions.head(trace_id), store.reviews.list(trace_id))


def _review(studio: Studio, body: dict[str, Any], reviewer: str) -> dict[str, Any]:
    trace_id, revision_id = text_of(body, "trace"), text_of(body, "revision")
    verdict, reason = text_of(body, "verdict"), text_of(body, "reason", MAX_REASON_CHARACTERS)
    with studio.store.transaction():
        record = studio.store.traces.get(trace_id)
        if record.head_id != revision_id:
            head = studio.store.revisions.head(trace_id)
            raise Conflict(
                f"{head.author} saved version {head.number} of this trace since you opened it; look at it, then decide."
            )
        standing = [r for r in studio.store.reviews.list(trace_id) if r.reviewer == reviewer and r.undone_at is None]
        if standing and (standing[-1].revision_id, standing[-1].verdict) == (revision_id, verdict):
            # The same verdict again, now with its reason, is one verdict.
            studio.store.reviews.undo(reviewer, trace_id)
        studio.store.reviews.record(revision_id, reviewer, verdict, reason.strip())  # type: ignore[arg-type]
    return _after(studio, trace_id)


def _undo(studio: Studio, body: dict[str, Any], reviewer: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    if studio.store.reviews.undo(reviewer, trace_id) is None:
        raise InvalidInput("There is no verdict of yours on this trace to take back.")
    return _after(studio, trace_id)


def _after(studio: Studio, trace_id: str) -> dict[str, Any]:
    return {"id": trace_id, "status": studio.store.traces.get(trace_id).status, "counts": studio.store.traces.counts()}
