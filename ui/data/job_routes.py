"""What each section of the Data screen asks of its jobs.

GET  /data/KIND/jobs     the newest ones (ui.data.values.job_value)
POST /data/KIND/stop     {"job"}
POST /data/KIND/resume   {"job"}    a stopped, failed or interrupted one goes on from where it was
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from engine.errors import NotFound
from engine.jobs.running import resume_job
from engine.store import Job
from ui.curating.messages import answer, answer_post, text_of
from ui.data.values import job_value
from ui.rights import acts
from ui.studio import Studio

__all__ = ["job_of", "job_routes"]

_SHOWN = 5


def job_routes(studio: Studio, kind: str, action: str) -> APIRouter:
    """The routes of one kind of jobs, whose `action` it takes to stop one or to go on with it."""
    routes = APIRouter(prefix=f"/{kind}")
    store = studio.store

    @routes.get("/jobs", dependencies=[acts("look_at_work")])
    def jobs() -> Response:
        return answer(lambda: {"jobs": [job_value(store, job) for job in store.jobs.list(limit=_SHOWN, kinds=[kind])]})

    @routes.post("/stop", dependencies=[acts(action)])
    async def stop(request: Request) -> Response:
        def make(body: dict[str, Any], person: str) -> dict[str, Any]:
            return job_value(store, store.jobs.request_stop(job_of(studio, kind, body).id, "stopped"))

        return await answer_post(request, make)

    @routes.post("/resume", dependencies=[acts(action)])
    async def resume(request: Request) -> Response:
        def make(body: dict[str, Any], person: str) -> dict[str, Any]:
            job = resume_job(store, job_of(studio, kind, body).id)
            studio.worker.wake()
            return job_value(store, job)

        return await answer_post(request, make)

    return routes


def job_of(studio: Studio, kind: str, body: dict[str, Any]) -> Job:
    """The job that is named, of this kind alone. Raises NotFound."""
    job = studio.store.jobs.get(text_of(body, "job"))
    if job.kind != kind:
        raise NotFound(f"there is no {kind} {job.id!r}")
    return job
