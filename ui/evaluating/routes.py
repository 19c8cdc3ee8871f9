"""Evaluations over HTTP.

GET  /evaluations              {"evaluations": [...], "benchmarks": [names], "adapters": [{"id", "name"}],
                                "projects": [{"name"}], "can_evaluate"}
POST /evaluations              {"benchmark", "adapter", "limit", "is_operating", "crops", "protocol_of", "is_weighing_looks"}
                               -> the job
GET  /evaluations/compare      ?before=ID&after=ID -> the comparison
and below /data/evaluate what a page asks of its jobs (ui.data.job_routes)
"""

from __future__ import annotations

from typing import Any, cast

from fastapi import APIRouter
from fastapi.responses import Response

from engine.errors import InvalidInput, Unavailable
from engine.evaluation.comparing import compare, is_looking_between
from engine.evaluation.conventions.projects import PROJECTS
from engine.evaluation.crops import Crops
from engine.evaluation.drawn import drawn_benchmarks
from engine.evaluation.published.benchmarks import PUBLISHED
from engine.evaluation.sources import ACCEPTED, source_named
from engine.jobs.asking import Asked
from engine.jobs.kinds import EVALUATE
from engine.jobs.running import queue_job
from ui.answerers import answerers
from ui.curating.messages import answer, answer_posts, flag_of, number_of, text_of
from ui.data.job_routes import job_routes
from ui.data.values import job_value
from ui.evaluating.values import comparison_value, evaluation_value
from ui.rights import acts
from ui.studio import Studio

__all__ = ["evaluation_routes"]


def evaluation_routes(studio: Studio) -> APIRouter:
    routes = APIRouter()
    store = studio.store

    @routes.get("/evaluations", dependencies=[acts("look_at_work")])
    def evaluations() -> Response:
        return answer(
            lambda: {
                "evaluations": [evaluation_value(one) for one in store.evaluations.list()],
                "benchmarks": _benchmarks(studio),
                "adapters": answerers(studio),
                "projects": [{"name": one.name} for one in PROJECTS],
                "can_evaluate": EVALUATE in studio.worker.kinds,
            }
        )

    @routes.get("/evaluations/compare", dependencies=[acts("look_at_work")])
    def compared(before: str, after: str) -> Response:
        def make() -> dict[str, Any]:
            runs = [store.evaluations.get(one) for one in (before, after)]
            first, second = (list(store.attempts.of(one.id)) for one in runs)
            is_looking = is_looking_between(*(one.provenance for one in runs))
            return comparison_value(store, compare(first, second), first, second) | {"is_looking": is_looking}

        return answer(make)

    def begin(body: dict[str, Any], person: str) -> dict[str, Any]:
        kind = studio.worker.kinds.get(EVALUATE)
        if kind is None:
            raise Unavailable(studio.unready or "nothing in this studio can be evaluated")
        name = text_of(body, "benchmark")
        if name not in {one["name"] for one in _benchmarks(studio)}:  # a path of the host is no benchmark
            raise InvalidInput(f"there is no benchmark {name!r} in this studio")
        limit = None if body.get("limit") is None else number_of(body, "limit")
        source = source_named(name, store, limit=limit)
        asked = Asked(
            is_operating=flag_of(body, "is_operating"),
            crops=cast(Crops, text_of(body, "crops")),  # refused by name where it is none
            protocol_of=None if body.get("protocol_of") is None else text_of(body, "protocol_of"),
            is_weighing_looks=flag_of(body, "is_weighing_looks"),
        )
        job = queue_job(store, kind, kind.plan(source, asked, text_of(body, "adapter")))
        studio.worker.wake()
        return job_value(store, job)

    answer_posts(routes, "/evaluations", "evaluate", begin)
    jobs = APIRouter(prefix="/data")
    jobs.include_router(job_routes(studio, EVALUATE, "evaluate"))
    routes.include_router(jobs)
    return routes


def _benchmarks(studio: Studio) -> list[dict[str, Any]]:
    """By name, with words and the number of examples, None where only the end will tell."""
    store = studio.store
    found = [{"name": one.name, "words": one.words, "count": one.count} for one in drawn_benchmarks()]
    found += [
        {"name": one.name, "words": f"{one.name} (your data set)", "count": one.count}
        for one in store.examples.data_sets()
    ]
    if accepted := store.traces.counts().get("accepted", 0):
        found.append({"name": ACCEPTED, "words": "accepted traces, those not learned from", "count": accepted})
    return found + [
        {"name": one.name, "words": f"{one.name} (Hugging Face Hub)", "count": one.count} for one in PUBLISHED
    ]
