"""Work on the queue itself: what it can be filtered by, saved views, tags, one verdict on many traces.

GET  /curate/choices                        values that the filters offer: policies, sources, tags, reviewers; the person's views
POST /curate/view          {"name", "query": {...}} keeps a view; without "query" it is deleted
POST /curate/tag           {"trace", "tag", "is_on"}
POST /curate/bulk          {"traces": [ids], "verdict", "reason"}     POST /curate/bulk/undo {"action"}
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from engine.errors import InvalidInput
from engine.store import Query
from ui.curating.routes import MAX_REASON_CHARACTERS, answer, answer_post, text_of
from ui.people import user_of
from ui.studio import Studio

__all__ = ["list_routes"]

MAX_BULK = 1000


def list_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.get("/choices")
    def choices(request: Request) -> JSONResponse:
        return answer(lambda: _choices(studio, user_of(request)))

    @routes.post("/view")
    async def view(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _view(studio, body, person))

    @routes.post("/tag")
    async def tag(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _tag(studio, body, person))

    @routes.post("/bulk")
    async def bulk(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _bulk(studio, body, person))

    @routes.post("/bulk/undo")
    async def undo(request: Request) -> JSONResponse:
        return await answer_post(
            request,
            lambda body, _: {
                "undone": studio.store.rounds.undo_all(text_of(body, "action")),
                "counts": studio.store.traces.counts(),
            },
        )

    return routes


def _choices(studio: Studio, person: str) -> dict[str, Any]:
    store = studio.store
    return {
        "me": person,
        "policy": store.traces.policies(),
        "source": store.traces.sources(),
        "tag": sorted(store.tags.all()),
        "views": [{"name": view.name, "query": view.query.to_params()} for view in store.tags.views(person)],
    }


def _view(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    name, query = text_of(body, "name"), body.get("query")
    if query is None:
        studio.store.tags.delete_view(person, name)
    elif isinstance(query, dict) and all(isinstance(v, str) for v in query.values()):
        studio.store.tags.save_view(person, name, Query.from_params(query))
    else:
        raise InvalidInput("The page sent no usable view; reload it and try again.")
    return _choices(studio, person)


def _tag(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id, tag, tags = text_of(body, "trace"), text_of(body, "tag"), studio.store.tags
    found = tags.remove(trace_id, tag) if body.get("is_on") is False else tags.add(trace_id, tag, person)
    return {"id": trace_id, "tags": list(found)}


def _bulk(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    traces, verdict = body.get("traces"), text_of(body, "verdict")
    if not isinstance(traces, list) or not 1 <= len(traces) <= MAX_BULK or not all(isinstance(t, str) for t in traces):
        raise InvalidInput(f"Choose 1 to {MAX_BULK} traces.")
    reason = text_of(body, "reason", MAX_REASON_CHARACTERS) if body.get("reason") else ""
    done = studio.store.rounds.review_all(traces, person, verdict, reason)  # type: ignore[arg-type]
    return {
        "action": done.id,
        "reviewed": done.reviewed,
        "passed_over": list(done.passed_over),
        "counts": studio.store.traces.counts(),
    }
