"""Jobs by program: what works in the background, and how far it is."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from engine.jobs.kinds import TITLES
from engine.store import Job, JobState
from ui.api.endpoint import Services
from ui.api.values import JobsPage, JobValue
from ui.data.export_routes import files_url
from ui.studio import Studio

__all__ = ["job", "job_value", "jobs"]

_PAGE, _MOST = 50, 200


def jobs(
    services: Services,
    person: str,
    kind: Annotated[
        str | None,
        Field(description=f"Only jobs of this kind ({', '.join(TITLES)}); null: of any.", max_length=100),
    ] = None,
    state: Annotated[JobState | None, Field(description="Only jobs in this state; null: in any.")] = None,
    limit: Annotated[int, Field(description="How many at most.", ge=1, le=_MOST)] = _PAGE,
) -> JobsPage:
    """List the jobs (training, collecting, evaluating, import, export), newest first."""
    found = services.studio.store.jobs.list(state, limit, kinds=None if kind is None else [kind])
    return {"jobs": [job_value(services.studio, one) for one in found]}


def job(
    services: Services, person: str, id: Annotated[str, Field(description="The job's id.", max_length=100)]
) -> JobValue:
    """Read one job: its state, and how far it is."""
    return job_value(services.studio, services.studio.store.jobs.get(id))


def job_value(studio: Studio, job: Job) -> JobValue:
    """A job for programs; its configuration, which holds paths of this machine, is left out."""
    return {
        "id": job.id,
        "kind": job.kind,
        "title": TITLES.get(job.kind, job.kind),
        "state": job.state,
        "message": job.message,
        "progress": job.progress,
        "files": files_url(studio, job),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
    }
