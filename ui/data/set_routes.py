"""Data sets, and attempts at them.

GET  /data/sets      {"sets": [...], "can_collect", "adapters": [{"id", "name"}]}
POST /data/collect   {"data_set", "adapter", "attempts", "keep", "temperature", "max_tokens", "limit"} -> the job
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.errors import InvalidInput, Unavailable
from engine.evaluation.sources import Source
from engine.jobs.answering import LIVE
from engine.jobs.asking import Asked
from engine.jobs.kinds import COLLECT
from engine.jobs.running import queue_job
from ui.answerers import answerers
from ui.curating.messages import answer, answer_post, number_of, text_of
from ui.data.job_routes import job_routes
from ui.data.values import data_set_value, job_value
from ui.rights import acts
from ui.studio import Studio

__all__ = ["set_routes"]


def set_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/data")
    store = studio.store

    def told() -> dict[str, Any]:
        return {
            "sets": [data_set_value(one) for one in store.examples.data_sets()],
            "can_collect": COLLECT in studio.worker.kinds,
            "adapters": answerers(studio),
        }

    def collect(body: dict[str, Any], person: str) -> dict[str, Any]:
        kind = studio.worker.kinds.get(COLLECT)
        if kind is None:
            raise Unavailable("nothing in this studio can attempt examples")
        data_set = store.examples.data_set(text_of(body, "data_set"))
        source = Source("imported", data_set.name, _number(body, "limit"), data_set.count)
        attempts = number_of(body, "attempts")
        asked = Asked(
            attempts=attempts,
            temperature=_share(body, "temperature") if attempts > 1 else None,
            max_tokens=_number(body, "max_tokens"),
            keep=text_of(body, "keep"),  # type: ignore[arg-type]
        )
        job = queue_job(store, kind, kind.plan(source, asked, text_of(body, "adapter") if "adapter" in body else LIVE))
        studio.worker.wake()
        return job_value(store, job)

    @routes.get("/sets", dependencies=[acts("look_at_work")])
    def sets() -> Response:
        return answer(told)

    @routes.post("/collect", dependencies=[acts("collect")])
    async def begin(request: Request) -> Response:
        return await answer_post(request, collect)

    routes.include_router(job_routes(studio, COLLECT, "collect"))
    return routes


def _number(body: dict[str, Any], name: str) -> int | None:
    """A whole number from 1, None for none."""
    if body.get(name) is None:
        return None
    if (number := number_of(body, name)) < 1:
        raise InvalidInput(f"{name.replace('_', ' ')}: a whole number from 1 is expected, not {number}")
    return number


def _share(body: dict[str, Any], name: str) -> float:
    value = body.get(name)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InvalidInput(f"{name}: a number is expected")
    return float(value)
