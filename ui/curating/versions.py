"""Versions and other attempts, to be compared: history, differences, side by side, preferences.

    GET  /curate/history/{id}                   who did what when, and every version, branches included
    GET  /curate/compare?trace=&old=&new=       two versions of a trace ("draft" is the person's own draft), and what differs
    GET  /curate/siblings/{id}                  other attempts at the same question
    GET  /curate/pair?left=&right=              the heads of two traces, and what differs
    GET  /curate/pairs?after=                   the next two attempts that came to different answers, behind the pair `after`
    POST /curate/prefer    {"chosen", "rejected", "is_tie"}: revision ids -> "preference", "policies" of the two
    POST /curate/prefer/undo {"preference"}

Invariants: where reviews are blind, the history is too; whoever says which of two attempts is better is not told before
whose they are, and finds them on the same sides again whenever they come back.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.errors import InvalidInput
from engine.store import Revision
from engine.trace import Trace
from ui.curating.drafting import changes_value
from ui.curating.messages import answer, answer_posts, flag_of, text_of
from ui.curating.queue_values import media_values, picture_of, revision_value, steps_and_views
from ui.guests import user_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["version_routes"]


def version_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.get("/history/{trace_id}", dependencies=[acts("look_at_work")])
    def history(trace_id: str, request: Request) -> Response:
        return answer(lambda: _history(studio, trace_id, user_of(request)))

    @routes.get("/compare", dependencies=[acts("look_at_work")])
    def compare(trace: str, old: str, new: str, request: Request) -> Response:
        person = user_of(request)
        return answer(
            lambda: _compared(studio, _version(studio, trace, old, person), _version(studio, trace, new, person))
        )

    @routes.get("/siblings/{trace_id}", dependencies=[acts("look_at_work")])
    def siblings(trace_id: str, request: Request) -> Response:
        return answer(lambda: _siblings(studio, trace_id, user_of(request)))

    @routes.get("/pair", dependencies=[acts("look_at_work")])
    def pair(left: str, right: str, request: Request) -> Response:
        person = user_of(request)
        return answer(lambda: _blind(_compared(studio, _head(studio, left, person), _head(studio, right, person))))

    @routes.get("/pairs", dependencies=[acts("look_at_work")])
    def pairs(request: Request, after: str = "") -> Response:
        return answer(lambda: _next_pair(studio, user_of(request), after))

    answer_posts(routes, "/prefer", "prefer", partial(_prefer, studio))
    answer_posts(routes, "/prefer/undo", "take_back", partial(_take_back, studio))
    return routes


def _history(studio: Studio, trace_id: str, person: str) -> dict[str, Any]:
    store = studio.store
    studio.workbench.require_seen(person, trace_id)
    round = store.rounds.of(trace_id)
    is_blind = round.wanted > 1 and round.state == "open"
    led = {revision.id for revision in store.revisions.chain(trace_id)}
    head = store.traces.get(trace_id).head_id
    return {
        "events": [
            {"at": e.at, "who": e.who, "kind": e.kind, "detail": e.detail}
            for e in reversed(store.history.of(trace_id, is_blind=is_blind, viewer=person))
        ],
        "revisions": [
            revision_value(r) | {"is_head": r.id == head, "is_branch": r.id not in led}
            for r in reversed(store.revisions.list(trace_id))
        ],
    }


def _named(revision: Revision) -> tuple[dict[str, Any], Trace]:
    return revision_value(revision), revision.trace


def _head(studio: Studio, trace_id: str, person: str) -> tuple[dict[str, Any], Trace]:
    studio.workbench.require_seen(person, trace_id)
    return _named(studio.store.revisions.head(trace_id))


def _version(studio: Studio, trace_id: str, name: str, person: str) -> tuple[dict[str, Any], Trace]:
    if name == "draft":
        draft = studio.workbench.open(trace_id, person).draft
        return {"id": "draft", "number": None, "author": person, "created_at": None}, draft.trace
    studio.workbench.require_seen(person, trace_id)
    revision = studio.store.revisions.get(name)
    if revision.trace_id != trace_id:
        raise InvalidInput("This version belongs to another trace.")
    return _named(revision)


def _compared(studio: Studio, old: tuple[dict[str, Any], Trace], new: tuple[dict[str, Any], Trace]) -> dict[str, Any]:
    sides = [
        version
        | steps_and_views(trace)
        | {"answer": trace.answer, "policy": trace.policy, "trace_question": trace.question}
        for version, trace in (old, new)
    ]
    return {"media": media_values(studio, old[1].media), "sides": sides, "changes": changes_value(old[1], new[1])}


def _blind(compared: dict[str, Any]) -> dict[str, Any]:
    for side in compared["sides"]:
        del side["policy"], side["author"]
    return compared


def _next_pair(studio: Studio, person: str, after: str) -> dict[str, Any]:
    found = studio.store.preferences.differing(person, after, seer=studio.workbench.seer_of(person))
    if found is None:
        return {"key": None}
    key, *items = found
    heads = [_named(studio.store.revisions.get(item.head_id)) for item in items]
    if hashlib.sha256(f"{person}/{key}".encode()).digest()[0] % 2:
        heads.reverse()
    question, options = heads[0][1].question, studio.store.traces.get(items[0].id).example.options
    return {"key": key, "question": question, "options": list(options), **_blind(_compared(studio, *heads))}


def _siblings(studio: Studio, trace_id: str, person: str) -> dict[str, Any]:
    studio.workbench.require_seen(person, trace_id)
    return {
        "items": [
            {
                "id": item.id,
                "number": item.number,
                "status": item.status,
                "answer": item.answer,
                "score": item.score,
                "policy": item.policy,
                "picture": picture_of(item),
            }
            for item in studio.store.preferences.siblings(trace_id)
            if not item.is_private or item.author == person
        ]
    }


def _prefer(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    chosen, rejected = text_of(body, "chosen"), text_of(body, "rejected")
    made = studio.workbench.prefer(chosen, rejected, person, is_tie=flag_of(body, "is_tie"))
    policies = [studio.store.revisions.get(revision).trace.policy for revision in (chosen, rejected)]
    return {"preference": made.id, "policies": policies}


def _take_back(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    return {"preference": studio.workbench.take_back_preference(text_of(body, "preference"), person).id}
