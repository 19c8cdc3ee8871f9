"""Exports: a job writes the traces of a status in a format, below artifacts/exports; its files come as one zip.

POST /data/export               {"format", "status"? or "traces"?, "has_versions"?, "protocol"?} -> the job
GET  /data/export/{job}.zip     the files, packed while they are sent
"""

from __future__ import annotations

import secrets
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from engine.errors import InvalidInput, NotFound, PersonError
from engine.exchange.sheet import Options
from engine.jobs.export import ExportKind
from engine.jobs.kinds import EXPORT
from engine.jobs.running import queue_job
from engine.settings import PROTOCOLS
from engine.store import Job, Status
from engine.store.search import STATUSES
from ui.curating.messages import answer_post, chosen_of, flag_of, refusal, text_of
from ui.data.job_routes import job_of, job_routes
from ui.data.values import job_value
from ui.rights import acts
from ui.studio import Studio

__all__ = ["begin_export", "export_routes", "files_url"]

_CHUNK_BYTES = 1 << 20
_PACKED = {".json", ".jsonl", ".md", ".txt", ".csv", ".yaml"}
"""Endings of what shrinks; pictures do not."""


def export_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/data")

    def begin(body: dict[str, Any], person: str) -> dict[str, Any]:
        status, protocol = body.get("status") or None, body.get("protocol") or None
        if status not in (None, *STATUSES) or protocol not in (None, *PROTOCOLS):
            raise InvalidInput("The page asked for a status or a wire format that does not exist.")
        options = Options(flag_of(body, "has_versions"), protocol)
        chosen = [one for one in chosen_of(body) if studio.workbench.may_see(person, one)] if "traces" in body else None
        return job_value(studio.store, begin_export(studio, text_of(body, "format"), status, options, chosen=chosen))

    def folder_of(job_id: str) -> tuple[Job, Path]:
        job = job_of(studio, EXPORT, {"job": job_id})
        out = Path(job.config["out"])
        if files_url(studio, job) is None:
            raise NotFound("There are no files of this export here.")
        if not out.is_dir():
            raise NotFound("The files of this export were deleted.")
        return job, out

    @routes.post("/export", dependencies=[acts("export")])
    async def export(request: Request) -> Response:
        return await answer_post(request, begin)

    @routes.get("/export/{job_id}.zip", dependencies=[acts("export")])
    async def download(job_id: str) -> Response:
        try:
            job, out = await run_in_threadpool(folder_of, job_id)
        except PersonError as error:
            return refusal(error)
        name = f"{job.config['format']}-{job.created_at[:10]}"
        headers = {"Content-Disposition": f'attachment; filename="{name}.zip"', "Cache-Control": "no-store"}
        return StreamingResponse(packed(out, name), media_type="application/zip", headers=headers)

    routes.include_router(job_routes(studio, EXPORT, "export"))
    return routes


def begin_export(
    studio: Studio, format: str, status: Status | None, options: Options, *, chosen: Sequence[str] | None = None
) -> Job:
    """Queues an export of the traces of a status (None: all), or of those that are `chosen` by their ids, below
    artifacts/exports. Raises InvalidInput."""
    kind = ExportKind(studio.store, studio.media)
    out = studio.settings.artifacts / "exports" / secrets.token_hex(8)
    plan = kind.plan(out, status, format, options, chosen=chosen)
    job = queue_job(studio.store, kind, plan)
    studio.worker.wake()
    return job


def files_url(studio: Studio, job: Job) -> str | None:
    """Where the files of an export come from, behind the studio's address; None where there are none."""
    if job.kind != EXPORT or job.state != "done":
        return None
    # A command may export to anywhere; what is sent from here is the studio's own.
    is_ours = Path(job.config["out"]).is_relative_to(studio.settings.artifacts.absolute() / "exports")
    return f"data/export/{job.id}.zip" if is_ours else None


class _Passing:
    """A file to be written that holds what was written last, and cannot be gone back in."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def taken(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def packed(folder: Path, name: str) -> Iterator[bytes]:
    """A zip of the folder, as the folder `name`, in pieces of about a megabyte."""
    passing = _Passing()
    with zipfile.ZipFile(passing, "w") as archive:
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            member = zipfile.ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}", (1980, 1, 1, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED if path.suffix in _PACKED else zipfile.ZIP_STORED
            with path.open("rb") as source, archive.open(member, "w", force_zip64=True) as target:
                while chunk := source.read(_CHUNK_BYTES):
                    target.write(chunk)
                    yield passing.taken()
    yield passing.taken()
