"""What the Curate screen asks of the server about the queue, a trace and its verdicts.

    GET  /curate/queue?search=&status=&...&order=&after=     a page of the queue (engine.store.query.Query), with counts
    GET  /curate/trace/{id}    one trace, with the person's draft of it (ui.curating.queue_values and .drafting)
    POST /curate/review        {"trace", "revision", "verdict", "reason", "is_insisting"?}; a changed draft is saved first
    POST /curate/review/undo   {"trace"}: takes the person's latest verdict on the trace back
    POST /curate/bulk          {"traces": [ids], "verdict", "reason"?} -> "reviewed", "passed_over": [{"id", "why"}]
    POST /curate/bulk/undo     {"action"}

Invariant: a verdict names the revision that the person saw, and is refused with 409 where that is no longer what stands.

Not covered: editing (`ui.curating.work_routes`); what is refused (`engine.workbench`).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.errors import InvalidInput
from engine.store import Query, Status, TraceRecord
from ui.curating.drafting import open_trace_value
from ui.curating.messages import MAX_REASON_CHARACTERS, answer, answer_posts, chosen_of, flag_of, text_of
from ui.curating.queue_values import item_value, trace_value
from ui.guests import user_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["PAGE_SIZE", "curate_routes", "trace_answer"]

PAGE_SIZE = 50


def curate_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.get("/queue", dependencies=[acts("look_at_work")])
    def queue(request: Request) -> Response:
        return answer(lambda: _queue(studio, dict(request.query_params), user_of(request)))

    @routes.get("/trace/{trace_id}", dependencies=[acts("look_at_work")])
    def trace(trace_id: str, request: Request) -> Response:
        return answer(lambda: trace_answer(studio, trace_id, user_of(request)))

    answer_posts(routes, "/review", "review", partial(_review, studio))
    answer_posts(routes, "/review/undo", "take_back", partial(_take_back, studio))
    answer_posts(routes, "/bulk", "review_many", partial(_bulk, studio))
    answer_posts(routes, "/bulk/undo", "take_back", partial(_take_back_many, studio))
    return routes


def trace_answer(studio: Studio, trace_id: str, person: str) -> dict[str, Any]:
    """A trace as the page shows it to this person, draft included."""
    store = studio.store
    studio.workbench.require_seen(person, trace_id)
    value = trace_value(
        studio, store.traces.get(trace_id), store.revisions.head(trace_id), store.rounds.visible(trace_id, person)
    )
    value["assigned"] = [assignment.person for assignment in store.reservations.assignments(trace_id)]
    try:
        opened = studio.workbench.open(trace_id, person)
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
    return value | {"is_editable": True} | open_trace_value(opened, person)


def _queue(studio: Studio, params: dict[str, str], person: str) -> dict[str, Any]:
    store = studio.store
    seer = studio.workbench.seer_of(person)
    page = store.queue.page(replace(Query.from_params(params), seer=seer), PAGE_SIZE, after=params.get("after") or None)
    return {
        "items": [item_value(listed, person) for listed in page.items],
        "total": page.total,
        "is_total_exact": page.is_total_exact,
        "has_more": page.has_more,
        "counts": store.traces.counts(seer),
    }


def _review(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    record = studio.workbench.review(
        text_of(body, "trace"),
        person,
        text_of(body, "verdict"),  # type: ignore[arg-type]
        text_of(body, "reason", MAX_REASON_CHARACTERS),
        seen=text_of(body, "revision"),
        is_insisting=flag_of(body, "is_insisting"),
    )
    return _decided(studio, record, person)


def _take_back(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    return _decided(studio, studio.workbench.take_back(text_of(body, "trace"), person), person)


def _bulk(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    traces, verdict = chosen_of(body), text_of(body, "verdict")
    reason = text_of(body, "reason", MAX_REASON_CHARACTERS) if body.get("reason") else ""
    done = studio.workbench.review_many(traces, person, verdict, reason)  # type: ignore[arg-type]
    return {
        "action": done.id,
        "reviewed": done.reviewed,
        "passed_over": [{"id": one.trace_id, "why": one.why} for one in done.passed_over],
        "counts": _counts(studio, person),
    }


def _take_back_many(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    undone = studio.workbench.take_back_many(text_of(body, "action"), person)
    return {"undone": undone, "counts": _counts(studio, person)}


def _decided(studio: Studio, record: TraceRecord, person: str) -> dict[str, Any]:
    counts = _counts(studio, person)
    return {"id": record.id, "status": record.status, "head_id": record.head_id, "counts": counts}


def _counts(studio: Studio, person: str) -> dict[Status, int]:
    return studio.store.traces.counts(studio.workbench.seer_of(person))
