"""Several people on one queue: who should look at a trace, how many reviews it wants, who decides where they disagree.

    POST /curate/assign       {"trace", "person", "is_on"}
    POST /curate/round        {"trace", "wanted": 1 to 20}
    POST /curate/adjudicate   {"trace", "revision", "verdict": accepted or rejected, "reason"}
    GET  /curate/agreement    Krippendorff's alpha on verdicts, kappa of each pair of reviewers

Each answers with the trace as `GET /curate/trace/{id}` does, but for the last.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from engine.agreement import krippendorff_alpha, pairwise_kappa
from engine.errors import InvalidInput
from ui.curating.routes import MAX_REASON_CHARACTERS, answer, answer_post, text_of, trace_answer
from ui.studio import Studio

__all__ = ["people_routes"]


def people_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/curate")

    @routes.post("/assign")
    async def assign(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _assign(studio, body, person))

    @routes.post("/round")
    async def round(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _round(studio, body, person))

    @routes.post("/adjudicate")
    async def adjudicate(request: Request) -> JSONResponse:
        return await answer_post(request, lambda body, person: _adjudicate(studio, body, person))

    @routes.get("/agreement")
    def agreement() -> JSONResponse:
        return answer(lambda: _agreement(studio))

    return routes


def _assign(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id, name = text_of(body, "trace"), text_of(body, "person").strip()
    if body.get("is_on") is False:
        studio.store.reservations.unassign(trace_id, name)
    else:
        studio.store.reservations.assign(trace_id, name, person)
    return trace_answer(studio, trace_id, person)


def _round(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    trace_id, wanted = text_of(body, "trace"), body.get("wanted")
    if not isinstance(wanted, int) or isinstance(wanted, bool):
        raise InvalidInput("The page sent no usable number of reviews; reload it and try again.")
    studio.store.rounds.ask(trace_id, wanted, person)
    return trace_answer(studio, trace_id, person)


def _adjudicate(studio: Studio, body: dict[str, Any], person: str) -> dict[str, Any]:
    verdict, reason = text_of(body, "verdict"), text_of(body, "reason", MAX_REASON_CHARACTERS)
    studio.store.rounds.adjudicate(text_of(body, "revision"), person, verdict, reason)  # type: ignore[arg-type]
    return trace_answer(studio, text_of(body, "trace"), person)


def _agreement(studio: Studio) -> dict[str, Any]:
    verdicts = studio.store.rounds.verdicts()
    return {
        "revisions": len(verdicts),
        "alpha": krippendorff_alpha([tuple(unit.values()) for unit in verdicts]),
        "pairs": [
            {"reviewers": list(names), "kappa": kappa, "n": n} for names, (kappa, n) in pairwise_kappa(verdicts).items()
        ],
    }
