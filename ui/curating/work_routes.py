"""Editing over HTTP: one small change at a time, each answered with the trace as it is then.

    POST /curate/edit      {"trace", "counter", "key", "edit": engine.editing's JSON}
    POST /curate/undo      {"trace", "counter", "key"}        POST /curate/redo
    POST /curate/save      {"trace"}     the draft as the next revision
    POST /curate/rebase    {"trace"}     the person's changes on top of what somebody else saved
    POST /curate/discard   {"trace"}     throws the draft away
    POST /curate/hold      {"trace" or None, "release": [ids]}    reserves a trace, lets go of others

Invariants: as in `ui.curating.routes`; an undo that is sent twice is done once, because it names the draft's counter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from engine.errors import InvalidInput
from engine.store import Reserved, StaleRevision
from engine.workbench import Bench, Workbench
from ui.curating.drafting import bench_value
from ui.curating.routes import answer, answer_post, read_json, text_of, trace_answer
from ui.people import user_of
from ui.studio import Studio

__all__ = ["work_routes"]


def work_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")
    bench = Workbench(studio.store, studio.media)

    def changing(act: Callable[[str, str, int, dict[str, Any]], Bench]) -> Callable[..., dict[str, Any]]:
        def make(body: dict[str, Any], person: str) -> dict[str, Any]:
            trace_id = text_of(body, "trace")
            return bench_value(act(trace_id, person, _counter(studio, body, trace_id, person), body), person)

        return make

    @routes.post("/edit")
    async def edit(request: Request) -> JSONResponse:
        def act(trace_id: str, person: str, counter: int, body: dict[str, Any]) -> Bench:
            return bench.edit(trace_id, person, _object(body, "edit"), counter, key=text_of(body, "key"))

        return await answer_post(request, changing(act))

    @routes.post("/undo")
    async def undo(request: Request) -> JSONResponse:
        return await answer_post(
            request, changing(lambda trace_id, person, counter, _: bench.undo(trace_id, person, counter))
        )

    @routes.post("/redo")
    async def redo(request: Request) -> JSONResponse:
        return await answer_post(
            request, changing(lambda trace_id, person, counter, _: bench.redo(trace_id, person, counter))
        )

    @routes.post("/save")
    async def save(request: Request) -> JSONResponse:
        return await answer_post(
            request, changing(lambda trace_id, person, counter, _: bench.commit(trace_id, person, counter))
        )

    @routes.post("/rebase")
    async def rebase(request: Request) -> JSONResponse:
        return await answer_post(
            request, changing(lambda trace_id, person, counter, _: bench.rebase(trace_id, person, counter))
        )

    @routes.post("/discard")
    async def discard(request: Request) -> JSONResponse:
        def make(body: dict[str, Any], person: str) -> dict[str, Any]:
            trace_id = text_of(body, "trace")
            if bench.open(trace_id, person).is_behind:
                # Somebody else's version stands; this one is kept beside it before its draft goes.
                with suppress(StaleRevision):
                    bench.commit(trace_id, person, _counter(studio, body, trace_id, person))
            bench.discard(trace_id, person, _counter(studio, body, trace_id, person))
            return trace_answer(studio, trace_id, person)

        return await answer_post(request, make)

    @routes.post("/hold")
    async def hold(request: Request) -> JSONResponse:
        body, person = await read_json(request), user_of(request)
        reply = await run_in_threadpool(answer, lambda: _hold(studio, body, person))
        if body.get("trace") and await request.is_disconnected():
            # The page went away while it was asking: nobody looks at the trace, and nobody would let go of it.
            await run_in_threadpool(answer, lambda: studio.store.reservations.release(text_of(body, "trace"), person))
        return reply

    return routes


def _counter(studio: Studio, body: dict[str, Any], trace_id: str, person: str) -> int:
    """The counter of the draft that the page showed; where it knew none (an edit left over from another day), the kept one's."""
    value = body.get("counter")
    if value is None:
        kept = studio.store.drafts.find(trace_id, person)
        return kept.counter if kept else 0
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidInput("The page sent no usable counter; reload it and try again.")
    return value


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    if not isinstance(value, dict):
        raise InvalidInput(f"The page sent no usable {name}; reload it and try again.")
    return value


def _hold(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    reservations = studio.store.reservations
    for trace_id in _ids(body, "release"):
        reservations.release(trace_id, person)
    if not body.get("trace"):
        return {"holder": None}
    trace_id = text_of(body, "trace")
    holder: dict[str, Any] | None = None
    try:
        reservations.take(trace_id, person)
    except Reserved as error:
        held = error.reservation
        holder = {"name": held.holder, "sentence": str(error), "expires_at": math.ceil(held.expires_at)}
    return {"trace": trace_id, "holder": holder, "head_id": studio.store.traces.get(trace_id).head_id}


def _ids(body: dict[str, Any], name: str) -> list[str]:
    """A posted list of a few ids; what is not there is empty."""
    value = body.get(name) or []
    if not isinstance(value, list) or len(value) > 100 or not all(isinstance(one, str) for one in value):
        raise InvalidInput(f"The page sent no usable {name}; reload it and try again.")
    return value
