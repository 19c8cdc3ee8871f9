"""Editing over HTTP: one small change at a time, each answered with the trace as it is then.

    POST /curate/edit      {"trace", "counter", "key", "edit": engine.editing's JSON}
    POST /curate/undo      {"trace", "counter", "key"}        POST /curate/redo
    POST /curate/save      {"trace", "is_insisting"?}     the draft as the next revision
    POST /curate/rebase    {"trace"}     the person's changes on top of what somebody else saved
    POST /curate/discard   {"trace"}     throws the draft away
    POST /curate/hold      {"trace" or None, "release": [ids], "page"?}    reserves a trace, lets go of others

Invariant: an undo that is sent twice is done once, because it names the draft's counter.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from engine.store import Reserved
from engine.workbench import OpenTrace
from ui.curating.drafting import open_trace_value
from ui.curating.messages import answer_post, answer_posts, flag_of, ids_of, number_of, object_of, text_of
from ui.curating.presence import Presence
from ui.curating.routes import trace_answer
from ui.guests import user_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["work_routes"]

_MAX_RELEASED = 100


def work_routes(studio: Studio, presence: Presence) -> APIRouter:
    routes = APIRouter(prefix="/curate")
    workbench = studio.workbench

    def change(path: str, action: str, act: Callable[[str, str, int, dict[str, Any]], OpenTrace]) -> None:
        def make(body: dict[str, Any], person: str) -> dict[str, Any]:
            trace_id = text_of(body, "trace")
            return open_trace_value(act(trace_id, person, _counter(studio, body, trace_id, person), body), person)

        answer_posts(routes, path, action, make)

    def edit(trace_id: str, person: str, counter: int, body: dict[str, Any]) -> OpenTrace:
        return workbench.edit(trace_id, person, object_of(body, "edit"), counter, key=text_of(body, "key"))

    def save(trace_id: str, person: str, counter: int, body: dict[str, Any]) -> OpenTrace:
        return workbench.commit(trace_id, person, counter, is_insisting=flag_of(body, "is_insisting"))

    def discard(body: dict[str, Any], person: str) -> dict[str, Any]:
        trace_id = text_of(body, "trace")
        workbench.discard(trace_id, person, _counter(studio, body, trace_id, person))
        return trace_answer(studio, trace_id, person)

    change("/edit", "edit", edit)
    change("/undo", "edit", lambda trace_id, person, counter, _: workbench.undo(trace_id, person, counter))
    change("/redo", "edit", lambda trace_id, person, counter, _: workbench.redo(trace_id, person, counter))
    change("/save", "commit", save)
    change("/rebase", "edit", lambda trace_id, person, counter, _: workbench.rebase(trace_id, person, counter))
    answer_posts(routes, "/discard", "edit", discard)

    @routes.post("/hold", dependencies=[acts("hold")])
    async def hold(request: Request) -> Response:
        asked: list[str] = []

        def make(body: dict[str, Any], person: str) -> dict[str, Any]:
            page, release = text_of(body, "page") if "page" in body else "", ids_of(body, "release", _MAX_RELEASED)
            workbench.release(release, person)
            presence.lets_go(page, release)
            if not body.get("trace"):
                return {"holder": None}
            asked.append(text_of(body, "trace"))
            value = _hold(studio, asked[0], person)
            if value["holder"] is None:
                presence.holds(page, person, asked[0])
            return value

        reply = await answer_post(request, make)
        if asked and await request.is_disconnected():
            # The page went away while it was asking: nobody looks at the trace, and nobody would let go of it.
            await run_in_threadpool(workbench.release, asked, user_of(request))
        return reply

    return routes


def _counter(studio: Studio, body: dict[str, Any], trace_id: str, person: str) -> int:
    """The counter of the draft that the page showed; where it knew none (an edit left over from another day), the kept one's."""
    if body.get("counter") is None:
        kept = studio.store.drafts.find(trace_id, person)
        return kept.counter if kept else 0
    return number_of(body, "counter")


def _hold(studio: Studio, trace_id: str, person: str) -> dict[str, Any]:
    holder: dict[str, Any] | None = None
    try:
        studio.workbench.hold(trace_id, person)
    except Reserved as error:
        held = error.reservation
        holder = {"name": held.holder, "sentence": str(error), "expires_at": math.ceil(held.expires_at)}
    return {"trace": trace_id, "holder": holder, "head_id": studio.store.traces.get(trace_id).head_id}
