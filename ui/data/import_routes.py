"""Bringing in: files are sent, looked at, and imported by a job.

    POST /data/uploads                    -> {"upload"}: a place for files
    POST /data/uploads/{upload}           a file as the body, its path in X-File-Name (percent-encoded)
    POST /data/preview, /data/import      {"upload" | "hub", "columns", "table", "split", "config", "data_set", "as"}
    POST /data/host/preview, .../import   the same with {"path"}, a file or folder of the host
    GET  /data/import/refused/{job}.csv   the rows that could not come in

A preview is `ui.data.values.preview_value`, which says "as" where what was sent is an export of a studio; "as" in an import is
the format of another program (`engine.exchange`), whose rows nobody looks at before. An import answers with its job. Whoever
may read the host's files may do more than whoever may import, so that is an action of its own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, Response, StreamingResponse

from engine.errors import InvalidInput, PersonError
from engine.exchange.format import Format
from engine.exchange.formats import TRACE_JSON, format_named
from engine.importing.places import FolderPlace, ZipPlace
from engine.importing.previews import preview
from engine.importing.sources import FORMATS, Source, name_for
from engine.jobs.importing import ImportKind, bad_rows
from engine.jobs.kinds import IMPORT
from engine.jobs.running import queue_job
from ui.curating.messages import answer_post, object_of, refusal, text_of
from ui.data.job_routes import job_of, job_routes
from ui.data.uploads import Uploads
from ui.data.values import job_value, preview_value
from ui.rights import acts
from ui.studio import Studio

__all__ = ["import_routes"]

_MAX_PATH_CHARACTERS = 4096


def import_routes(studio: Studio) -> APIRouter:
    routes = APIRouter(prefix="/data")
    uploads = Uploads(studio.settings.artifacts / "incoming", studio.settings.max_import_mb * 1_000_000)
    uploads.sweep(
        {job.config.get("incoming", "") for job in studio.store.jobs.list(kinds=[IMPORT]) if job.state != "done"}
    )
    kind = ImportKind(studio.store, studio.media)

    def sent(body: dict[str, Any]) -> tuple[Source, str]:
        """What was sent from a browser or is named on the Hub, and the folder that goes when it is in."""
        if name := _optional(body, "hub"):
            return Source(name, "hub", split=_optional(body, "split"), config=_optional(body, "config")), ""
        upload = text_of(body, "upload")
        path = uploads.path(upload)
        source = Source(str(path), _format(body), _optional(body, "table"), _optional(body, "split"), is_confined=True)
        return source, str(uploads.folder(upload))

    def on_host(body: dict[str, Any]) -> tuple[Source, str]:
        path = text_of(body, "path", _MAX_PATH_CHARACTERS)
        return Source(path, _format(body), _optional(body, "table"), _optional(body, "split")), ""

    def look(source: Source, body: dict[str, Any]) -> dict[str, Any]:
        if (found := _export_in(source)) is not None and "as" not in body:
            return {"as": TRACE_JSON.name, "name": found or name_for(source)}
        shown = preview(source, _columns(body), studio.media.limits, studio.media.sampling)
        return preview_value(shown) | {"name": name_for(source)}

    def bring(source: Source, incoming: str, body: dict[str, Any]) -> dict[str, Any]:
        name = text_of(body, "data_set")
        if format := _optional(body, "as"):
            path = uploads.unpacked(text_of(body, "upload")) if incoming else Path(source.path)
            plan = kind.plan_format(format, _beside(path, format_named(format)), name, incoming=incoming)
        else:
            plan = kind.plan(source, name, _columns(body), incoming=incoming)
        job = queue_job(studio.store, kind, plan)
        studio.worker.wake()
        return job_value(studio.store, job)

    @routes.post("/uploads", dependencies=[acts("import")])
    async def begin(request: Request) -> Response:
        return await answer_post(request, lambda body, person: {"upload": uploads.begin()})

    @routes.post("/uploads/{upload}", dependencies=[acts("import")])
    async def receive(upload: str, request: Request) -> Response:
        # A header of our own cannot be sent by a form or another site without asking first, and nobody answers.
        if "x-file-name" not in request.headers:
            return refusal(InvalidInput("Files are sent from the studio's own pages."))
        try:
            await uploads.receive(upload, unquote(request.headers["x-file-name"]), request.stream())
        except PersonError as error:
            return refusal(error)
        return JSONResponse({"is_there": True})

    @routes.post("/preview", dependencies=[acts("import")])
    async def look_at_sent(request: Request) -> Response:
        return await answer_post(request, lambda body, person: look(sent(body)[0], body))

    @routes.post("/import", dependencies=[acts("import")])
    async def bring_sent(request: Request) -> Response:
        return await answer_post(request, lambda body, person: bring(*sent(body), body))

    @routes.post("/host/preview", dependencies=[acts("import_from_host")])
    async def look_at_host(request: Request) -> Response:
        return await answer_post(request, lambda body, person: look(on_host(body)[0], body))

    @routes.post("/host/import", dependencies=[acts("import_from_host")])
    async def bring_from_host(request: Request) -> Response:
        return await answer_post(request, lambda body, person: bring(*on_host(body), body))

    @routes.get("/import/refused/{job_id}.csv", dependencies=[acts("look_at_work")])
    async def refused(job_id: str) -> Response:
        try:
            job = await run_in_threadpool(job_of, studio, IMPORT, {"job": job_id})
        except PersonError as error:
            return refusal(error)
        headers = {"Content-Disposition": f'attachment; filename="refused-{job.id}.csv"', "Cache-Control": "no-store"}
        return StreamingResponse(_refused_csv(studio, job.id), media_type="text/csv; charset=utf-8", headers=headers)

    routes.include_router(job_routes(studio, IMPORT, "import"))
    return routes


def _export_in(source: Source) -> str | None:
    """The folder of an export of a studio in what was sent, "" for the top; None where there is none."""
    if source.format == "hub":
        return None
    path = Path(source.path)
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return "" if path.name == TRACE_JSON.file else None
    place = ZipPlace(path) if path.is_file() else FolderPlace(path, is_confined=True)
    found = [name for name in place.names if PurePosixPath(name).name == TRACE_JSON.file]
    return None if not found else str(PurePosixPath(min(found, key=len)).parent).replace(".", "", 1)


def _beside(path: Path, format: Format) -> Path:
    """The folder below `path` that holds the format's file, or `path` itself."""
    found = sorted(path.rglob(format.file), key=lambda one: len(one.parts)) if path.is_dir() else []
    return found[0].parent if found else path


def _columns(body: dict[str, Any]) -> Mapping[str, Any] | None:
    return None if body.get("columns") is None else object_of(body, "columns")


def _optional(body: dict[str, Any], name: str) -> str:
    return text_of(body, name, _MAX_PATH_CHARACTERS) if body.get(name) else ""


def _format(body: dict[str, Any]) -> Any:
    format = _optional(body, "format") or "auto"
    if format not in FORMATS or format == "hub":
        raise InvalidInput(f"There is no format {format!r}.")
    return format


def _refused_csv(studio: Studio, job_id: str) -> Any:
    """The rows with the mark by which Excel knows UTF-8, piece by piece."""
    text = io.StringIO()
    writer = csv.writer(text)
    yield "\ufeff".encode()
    writer.writerow(("row", "id", "reason"))
    for row in bad_rows(studio.store, job_id):
        writer.writerow([_harmless(str(cell)) for cell in row])
        yield text.getvalue().encode("utf-8", "replace")
        text.seek(0)
        text.truncate()
    yield text.getvalue().encode()


def _harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: what stands in it came out of somebody's file."""
    return "'" + cell if cell[:1] in "=+-@\t\r" and cell else cell
