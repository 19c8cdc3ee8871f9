"""Media over HTTP, by hash: pictures come out of `GET /media/...`, and go in by `POST /media` alone.

    POST /media                              the file as the body, its name in X-File-Name (percent-encoded) -> what it is
    GET  /media/{sha256}                     the original's bytes; Range is honoured
    GET  /media/{sha256}/thumbnail?frame=&side=    JPEG whose longer side is at most `side` pixels
    GET  /media/{sha256}/frame/{k}           frame k (from 1) of the sampled clip, JPEG
    GET  /media/{sha256}/crop?frame=&box=x1,y1,x2,y2    PNG cut from the original's pixels

Invariants: what a hash names never changes, so every answer may be kept for ever; the content type is the one that
was recorded when the bytes were checked, never one that a browser guesses; a file that is refused leaves nothing
behind, and the refusal is one sentence in `{"error": ...}`.

Not covered: who may see which (`engine.workbench.door`): to whom may not, a medium is not there.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, JSONResponse, Response

from engine.errors import Broken, InvalidBox, NotFound, PersonError, TooMuch
from engine.trace import CLIP_FRAMES, Box, View
from ui.guests import person_of, user_of
from ui.rights import acts
from ui.studio import Studio
from ui.trace_values import THUMBNAIL_SIDE_PX, media_value

__all__ = ["media_routes"]

_FOR_EVER = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def media_routes(studio: Studio) -> APIRouter:
    """The routes above, on the studio's media folder and store."""
    routes = APIRouter()
    media = studio.media

    @routes.post("/media", dependencies=[acts("upload")])
    async def take(request: Request) -> JSONResponse:
        # A header of our own cannot be sent by a form or another site without asking first, and nobody answers.
        if "x-file-name" not in request.headers:
            return _refusal("Files are sent from the studio's own pages.", 400)
        person = person_of(request)
        try:
            studio.access.use.require_bytes(person)
        except PersonError as error:
            return _refusal(str(error), 429 if isinstance(error, TooMuch) else 507)
        name = Path(unquote(request.headers["x-file-name"]).replace("\\", "/")).name or "file"
        with tempfile.TemporaryDirectory(prefix="studio-upload-") as folder:
            path = Path(folder) / "upload"
            if not await _receive(request, path, studio.settings.max_upload_mb * 1_000_000):
                limit = studio.settings.max_upload_mb
                return _refusal(f"“{name}” is larger than {limit} MB, which is the most that is taken here.", 413)
            try:
                loaded = await run_in_threadpool(media.take, path)
            except PersonError as error:
                return _refusal(str(error), 507 if isinstance(error, Broken) else 422)
            await run_in_threadpool(studio.brought, loaded.media, name, path.stat().st_size, person)
        return JSONResponse(media_value(loaded, studio.store.media.name_of(loaded.media.sha256)))

    @routes.get("/media/{sha256}", dependencies=[acts("look")])
    def original(sha256: str, request: Request) -> Response:
        try:
            require_shown(sha256, user_of(request))
            path, kind = media.unaltered(sha256), media.mime_type(sha256)
        except NotFound as error:
            return _refusal(str(error), 404)
        return FileResponse(path, media_type=kind, headers=_FOR_EVER, content_disposition_type="inline")

    @routes.get("/media/{sha256}/thumbnail", dependencies=[acts("look")])
    def thumbnail(sha256: str, request: Request, frame: int | None = None, side: int = THUMBNAIL_SIDE_PX) -> Response:
        return picture(request, sha256, lambda: media.thumbnail(sha256, frame, side), "image/jpeg")

    @routes.get("/media/{sha256}/frame/{frame}", dependencies=[acts("look")])
    def one_frame(sha256: str, frame: int, request: Request) -> Response:
        if not 1 <= frame <= CLIP_FRAMES:
            return _refusal(f"There is no frame {frame}; a clip has {CLIP_FRAMES}.", 404)
        return picture(request, sha256, lambda: media.frame_jpeg(sha256, frame), "image/jpeg")

    @routes.get("/media/{sha256}/crop", dependencies=[acts("look")])
    def crop(sha256: str, box: str, request: Request, frame: int | None = None) -> Response:
        try:
            edges = [float(edge) for edge in box.split(",")]
            view = View(1, sha256, frame, Box(*edges))
        except (ValueError, TypeError, InvalidBox):
            return _refusal("A box is x1,y1,x2,y2, all from 0 to 1, with x1 < x2 and y1 < y2.", 400)
        return picture(request, sha256, lambda: media.crop_png(view), "image/png")

    def require_shown(sha256: str, person: str) -> None:
        """Raises NotFound for what the person may not see, lies in the bin, or is gone though this process still holds it
        decoded."""
        studio.workbench.require_media_seen(person, sha256)
        if studio.store.bin.holds_media(sha256):
            studio.store.media.get(sha256)
        media.path(sha256)

    def picture(request: Request, sha256: str, make: Callable[[], bytes], media_type: str) -> Response:
        try:
            require_shown(sha256, user_of(request))
            return Response(make(), media_type=media_type, headers=_FOR_EVER)
        except Broken as error:
            return _refusal(str(error), 507)
        except (PersonError, IndexError) as error:
            return _refusal(str(error) if isinstance(error, PersonError) else "There is no such frame.", 404)

    return routes


def _refusal(sentence: str, status: int) -> JSONResponse:
    return JSONResponse({"error": sentence}, status_code=status, headers={"Cache-Control": "no-store"})


async def _receive(request: Request, path: Path, max_bytes: int) -> bool:
    """Writes the body to `path`; False, and nothing more is read, where it is longer than `max_bytes`."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        return False
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > max_bytes:
                return False
            file.write(chunk)
    return True
