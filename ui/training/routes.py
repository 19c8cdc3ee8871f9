"""What can be taken away from the Train screen.

GET /train/adapters/{id}.zip   an adapter: PEFT's files and a card, with no path of this disk
GET /train/merged/{id}.zip     the full weights that an adapter was merged into
GET /train/jobs/{id}.jsonl     the whole log of a run, an event a line
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response, StreamingResponse

from engine.errors import NotFound, PersonError
from engine.jobs.adapter_files import write_adapter
from engine.jobs.adapter_sending import merged_folder
from engine.store import Adapter, Job, Store
from ui.curating.messages import refusal
from ui.data.export_routes import packed
from ui.rights import acts
from ui.studio import Studio

__all__ = ["training_routes"]


def training_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/train")
    store, artifacts = studio.store, studio.settings.artifacts

    @routes.get("/adapters/{adapter_id}.zip", dependencies=[acts("train")])
    async def adapter_files(adapter_id: str) -> Response:
        folder = tempfile.TemporaryDirectory()
        try:
            adapter = store.adapters.get(adapter_id)
            await run_in_threadpool(write_adapter, store, artifacts, adapter, Path(folder.name))
        except PersonError as error:
            folder.cleanup()
            return refusal(error)
        name = _file_name(adapter)

        def sent() -> Iterator[bytes]:
            with folder:
                yield from packed(Path(folder.name), name)

        return StreamingResponse(sent(), media_type="application/zip", headers=_as_file(f"{name}.zip"))

    @routes.get("/merged/{adapter_id}.zip", dependencies=[acts("train")])
    def merged(adapter_id: str) -> Response:
        try:
            adapter = store.adapters.get(adapter_id)
            folder = merged_folder(artifacts, adapter.id)
            if not folder.is_dir():
                raise NotFound(f"{adapter.name} was not merged yet; Merge it first")
        except PersonError as error:
            return refusal(error)
        name = f"{_file_name(adapter)}-merged"
        return StreamingResponse(packed(folder, name), media_type="application/zip", headers=_as_file(f"{name}.zip"))

    @routes.get("/jobs/{job_id}.jsonl", dependencies=[acts("look")])
    def log(job_id: str) -> Response:
        try:
            job = store.jobs.get(job_id)
        except PersonError as error:
            return refusal(error)
        headers = _as_file(f"{job.kind}-{job.created_at[:10]}.jsonl")
        return StreamingResponse(_lines(store, job), media_type="application/x-ndjson", headers=headers)

    return routes


def _lines(store: Store, job: Job) -> Iterator[str]:
    """What the run was queued with, and its events."""
    told = {"kind": job.kind, "config": job.config, "seeds": job.seeds, "versions": job.versions, "state": job.state}
    yield json.dumps(told) + "\n"
    for event in store.jobs.events(job.id, limit=1_000_000):
        yield json.dumps({"at": event.created_at, "step": event.step, "kind": event.kind, **event.data}) + "\n"


def _file_name(adapter: Adapter) -> str:
    return re.sub(r"[^\w.-]+", "-", adapter.name).strip("-") or "adapter"


def _as_file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
