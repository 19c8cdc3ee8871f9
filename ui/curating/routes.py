"""What the Curate screen asks of the server about the queue, a trace and its verdicts; JSON both ways.

    GET  /curate/queue?search=&status=&...&order=&after=     a page of the queue (engine.store.queue.Query), with counts
    GET  /curate/trace/{id}    one trace, with the person's draft of it (ui.curating.presenting and .drafting)
    POST /curate/review        {"trace", "revision", "verdict", "reason"}; a changed draft is saved first
    POST /curate/review/undo   {"trace"}: takes the person's latest verdict on the trace back

Invariants: a verdict names the revision that the person saw, and is refused with 409 where that is no longer what stands;
a refusal is one sentence in {"error": ...}; a post needs a header that another site cannot send.

Not covered: editing (`ui.curating.work_routes`), rights (`ui.people`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from engine.editing import problems
from engine.errors import Conflict, InvalidInput, NotFound, PersonError
from engine.store import Query
from engine.workbench import Workbench
from ui.curating.drafting import bench_value
from ui.curating.presenting import item_value, trace_value
from ui.people import user_of
from ui.studio import Studio

__all__ = ["PAGE_SIZE", "answer", "answer_post", "curate_routes", "read_json", "text_of", "trace_answer"]

PAGE_SIZE = 50
MAX_BODY_BYTES = 2_000_000
MAX_REASON_CHARACTERS = 1000


def curate_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.get("/queue")
    def queue(request: Request) -> JSONResponse:
        return answer(lambda: _queue(studio, dict(request.query_params), user_of(request)))

    @routes.get("/trace/{trace_id}")
    def trace(trace_id: str, request: Request) -> JSONResponse:
        return answer(lambda: trace_answer(studio, trace_id, user_of(request)))

    @routes.post("/review")
    async def review(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _review(studio, body, person))

    @routes.post("/review/undo")
    async def undo(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _undo(studio, body, person))

    return routes


def answer(make: Callable[[], Any]) -> JSONResponse:
    """What `make()` returns as JSON, or the sentence of a PersonError with 404, 409 or 422."""
    try:
        value, status = make(), 200
    except PersonError as error:
        status = 404 if isinstance(error, NotFound) else 409 if isinstance(error, Conflict) else 422
        value = {"error": str(error)}
    return JSONResponse(value, status_code=status, headers={"Cache-Control": "no-store"})


async def answer_post(request: Request, make: Callable[[dict[str, Any], str], Any]) -> JSONResponse:
    """`answer` for a posted object and the person who sent it; `make` runs in a thread."""
    body, person = await read_json(request), user_of(request)
    return await run_in_threadpool(answer, lambda: make(body, person))


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


def trace_answer(studio: Studio, trace_id: str, person: str) -> dict[str, Any]:
    """A trace as the page shows it to this person, draft included."""
    store = studio.store
    value = trace_value(
        studio, store.traces.get(trace_id), store.revisions.head(trace_id), store.rounds.visible(trace_id, person)
    )
    value["assigned"] = [assignment.person for assignment in store.reservations.assignments(trace_id)]
    try:
        bench = Workbench(store, studio.media).open(trace_id, person)
    except InvalidInput as error:
        nothing: dict[str, Any] = {
            "draft": None,
            "problems": [],
            "changes": [],
            "tags": [],
            "holder": None,
            "round": None,
        }
        return value | nothing | {"is_editable": False, "why_not": str(error)}
    return value | {"is_editable": True} | bench_value(bench, person)


def _queue(studio: Studio, params: dict[str, str], person: str) -> dict[str, Any]:
    store = studio.store
    page = store.queue.page(Query.from_params(params), PAGE_SIZE, after=params.get("after") or None)
    return {
        "items": [item_value(listed, person) for listed in page.items],
        "total": page.total,
        "is_total_exact": page.is_total_exact,
        "counts": store.traces.counts(),
    }


def _review(studio: Studio, body: dict[str, Any], reviewer: str) -> dict[str, Any]:
    store = studio.store
    trace_id, revision_id = text_of(body, "trace"), text_of(body, "revision")
    verdict, reason = text_of(body, "verdict"), text_of(body, "reason", MAX_REASON_CHARACTERS)
    if verdict != "skipped":
        revision_id = _settled(studio, trace_id, reviewer, revision_id, is_accepting=verdict == "accepted")
    with store.transaction():
        record = store.traces.get(trace_id)
        if record.head_id != revision_id:
            head = store.revisions.head(trace_id)
            raise Conflict(
                f"{head.author} saved version {head.number} of this trace since you opened it; look at it, then decide."
            )
        standing = [r for r in store.reviews.list(trace_id) if r.reviewer == reviewer and r.undone_at is None]
        if standing and (standing[-1].revision_id, standing[-1].verdict) == (revision_id, verdict):
            # The same verdict again, now with its reason, is one verdict.
            store.reviews.undo(reviewer, trace_id)
        store.reviews.record(revision_id, reviewer, verdict, reason.strip())  # type: ignore[arg-type]
    return _after(studio, trace_id)


def _settled(studio: Studio, trace_id: str, person: str, revision_id: str, *, is_accepting: bool) -> str:
    """The revision that a verdict is about: a changed draft is saved first. Raises InvalidInput where something stale or
    unfinished would be accepted, StaleRevision where somebody else saved a version first."""
    bench_of = Workbench(studio.store, studio.media)
    try:
        bench = bench_of.open(trace_id, person)
    except InvalidInput:
        return revision_id
    if is_accepting and (found := problems(bench.draft)):
        raise InvalidInput(" ".join(found))
    return bench_of.commit(trace_id, person, bench.counter).head.id if bench.draft.is_changed else revision_id


def _undo(studio: Studio, body: dict[str, Any], reviewer: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    if studio.store.reviews.undo(reviewer, trace_id) is None:
        raise InvalidInput("There is no verdict of yours on this trace to take back.")
    return _after(studio, trace_id)


def _after(studio: Studio, trace_id: str) -> dict[str, Any]:
    item = studio.store.traces.get(trace_id).item
    return {"id": trace_id, "status": item.status, "head_id": item.head_id, "counts": studio.store.traces.counts()}
