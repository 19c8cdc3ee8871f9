"""Several people on one queue: tags, who should look at a trace, how many reviews it wants, who decides where they disagree.

    POST /curate/tag          {"trace", "tag", "is_on"?} -> {"id", "tags"}
    POST /curate/assign       {"trace", "person", "is_on"?}
    POST /curate/round        {"trace", "wanted": 1 to 20}
    POST /curate/adjudicate   {"trace", "revision", "verdict": accepted or rejected, "reason", "is_insisting"?}
    GET  /curate/agreement    Krippendorff's alpha on verdicts, kappa of each pair of reviewers

The middle three answer with the trace as `GET /curate/trace/{id}` does.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter
from fastapi.responses import Response

from engine.agreement import krippendorff_alpha, pairwise_kappa
from ui.curating.messages import MAX_REASON_CHARACTERS, answer, answer_posts, flag_of, number_of, text_of
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

    @routes.get("/agreement", dependencies=[acts("look_at_work")])
    def agreement() -> Response:
        return answer(lambda: _agreement(studio))

    return routes


def _tag(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    tags = studio.workbench.tag(trace_id, text_of(body, "tag"), person, is_on=_is_on(body))
    return {"id": trace_id, "tags": list(tags)}


def _assign(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    studio.workbench.assign(trace_id, text_of(body, "person").strip(), person, is_on=_is_on(body))
    return trace_answer(studio, trace_id, person)


def _is_on(body: dict[str, Any]) -> bool:
    return flag_of(body, "is_on") if "is_on" in body else True


def _round(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id = text_of(body, "trace")
    studio.workbench.ask_reviews(trace_id, number_of(body, "wanted"), person)
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
