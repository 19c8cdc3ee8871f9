"""Several people on one queue: tags, who should look at a trace, how many reviews it wants, who decides where they disagree.

    POST /curate/tag          {"trace", "tag", "is_on"?} -> {"id", "tags"}
    POST /curate/assign       {"trace", "person", "is_on"?}
    POST /curate/round        {"trace", "wanted": 1 to 20}
    POST /curate/bulk/tag, /bulk/assign, /bulk/round   the same with "traces" -> "changed", "passed_over": [{"id", "why"}]
    POST /curate/adjudicate   {"trace", "revision", "verdict": accepted or rejected, "reason", "is_insisting"?}
    GET  /curate/agreement    Krippendorff's alpha on verdicts, kappa of each pair of reviewers

/assign, /round and /adjudicate answer with the trace as `GET /curate/trace/{id}` does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from engine.agreement import krippendorff_alpha, pairwise_kappa
from engine.errors import NotFound
from ui.curating.messages import (
    MAX_REASON_CHARACTERS,
    answer,
    answer_posts,
    chosen_of,
    flag_of,
    number_of,
    text_of,
)
from ui.curating.routes import trace_answer
from ui.rights import acts
from ui.studio import Studio

__all__ = ["sharing_routes"]


def sharing_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    answer_posts(routes, "/tag", "tag", partial(_tag, studio))
    answer_posts(routes, "/assign", "assign", partial(_assign, studio))
    answer_posts(routes, "/round", "ask_reviews", partial(_round, studio))
    answer_posts(routes, "/adjudicate", "settle", partial(_adjudicate, studio))

    answer_posts(routes, "/bulk/tag", "tag", partial(_many, studio, _tag_one))
    answer_posts(routes, "/bulk/assign", "assign", partial(_many, studio, _assign_one))
    answer_posts(routes, "/bulk/round", "ask_reviews", partial(_many, studio, _ask_one))

    @routes.get("/agreement", dependencies=[acts("look_at_work")])
    def agreement() -> Response:
        return answer(lambda: _agreement(studio))

    return routes


def _tag_one(studio: Studio, body: dict[str, Any], person: str, trace_id: str) -> tuple[str, ...]:
    return studio.workbench.tag(trace_id, text_of(body, "tag"), person, is_on=_is_on(body))


def _assign_one(studio: Studio, body: dict[str, Any], person: str, trace_id: str) -> None:
    studio.workbench.assign(trace_id, text_of(body, "person").strip(), person, is_on=_is_on(body))


def _ask_one(studio: Studio, body: dict[str, Any], person: str, trace_id: str) -> None:
    studio.workbench.ask_reviews(trace_id, number_of(body, "wanted"), person)


def _tag(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    return {"id": trace_id, "tags": list(_tag_one(studio, body, person, trace_id))}


def _assign(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    _assign_one(studio, body, person, trace_id)
    return trace_answer(studio, trace_id, person)


def _many(
    studio: Studio, act: Callable[[Studio, dict[str, Any], str, str], object], body: dict[str, Any], person: str
) -> dict[str, Any]:
    passed_over = []
    traces = chosen_of(body)
    for trace_id in traces:
        try:
            act(studio, body, person, trace_id)
        except NotFound as error:
            passed_over.append({"id": trace_id, "why": str(error)})
    return {"changed": len(traces) - len(passed_over), "passed_over": passed_over}


def _is_on(body: dict[str, Any]) -> bool:
    return flag_of(body, "is_on") if "is_on" in body else True


def _round(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    _ask_one(studio, body, person, trace_id)
    return trace_answer(studio, trace_id, person)


def _adjudicate(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    studio.workbench.settle(
        trace_id,
        text_of(body, "revision"),
        person,
        text_of(body, "verdict"),  # type: ignore[arg-type]
        text_of(body, "reason", MAX_REASON_CHARACTERS),
        is_insisting=flag_of(body, "is_insisting"),
    )
    return trace_answer(studio, trace_id, person)


def _agreement(studio: Studio) -> dict[str, Any]:
    verdicts = studio.store.rounds.verdicts()
    return {
        "revisions": len(verdicts),
        "alpha": krippendorff_alpha([tuple(unit.values()) for unit in verdicts]),
        "pairs": [
            {"reviewers": list(names), "kappa": kappa, "n": n} for names, (kappa, n) in pairwise_kappa(verdicts).items()
        ],
    }
