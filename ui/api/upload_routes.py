"""Files that `gradio_client.handle_file` sends: checked on arrival, kept under their hash, as any upload is.

    POST /gradio_api/upload    multipart, the files as `files` -> for each what names it in a call

It stands where Gradio's own route would, which keeps whatever comes. The client shows a person nothing of a refusal but its
status, so a file that cannot be taken is answered with the sentence in the place of its name, and the call that uses it says
the sentence.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from engine.errors import InvalidMedia, PersonError
from engine.rights import Person
from ui.asking.reading import MAX_FILES
from ui.guests import person_of
from ui.rights import acts
from ui.studio import Studio

__all__ = ["hash_of_file", "upload_routes"]

_REFUSED = "refused: "
_FRAME_BYTES = 100_000
"""What a multipart body may hold beside its files."""


def upload_routes(studio: Studio) -> APIRouter:
    routes = APIRouter()
    max_mb = studio.settings.max_upload_mb

    @routes.post("/gradio_api/upload", dependencies=[acts("upload")])
    async def upload(request: Request) -> JSONResponse:
        stream = _bounded(request, MAX_FILES * max_mb * 1_000_000 + _FRAME_BYTES)
        try:
            form = await MultiPartParser(request.headers, stream, max_files=MAX_FILES, max_fields=0).parse()
        except (MultiPartException, KeyError, ValueError) as error:
            sentence = (
                str(error) if isinstance(error, _TooLarge) else "These are no files of a form, in the field files."
            )
            return JSONResponse({"error": sentence}, status_code=413 if isinstance(error, _TooLarge) else 400)
        try:
            files = [one for one in form.getlist("files") if isinstance(one, UploadFile)]
            return JSONResponse([await run_in_threadpool(_take, studio, one, person_of(request)) for one in files])
        finally:
            await form.close()

    return routes


def hash_of_file(path: str) -> str:
    """The hash that an upload was answered with. Raises InvalidMedia with the sentence for a file that was not taken."""
    if path.startswith(_REFUSED):
        raise InvalidMedia(path.removeprefix(_REFUSED))
    return path


def _take(studio: Studio, file: UploadFile, person: Person) -> str:
    name = Path((file.filename or "").replace("\\", "/")).name or "file"
    max_mb = studio.settings.max_upload_mb
    if (file.size or 0) > max_mb * 1_000_000:
        return f"{_REFUSED}“{name}” is larger than {max_mb} MB, which is the most that is taken here."
    try:
        studio.access.use.require_bytes(person)
    except PersonError as error:
        return f"{_REFUSED}{error}"
    with tempfile.TemporaryDirectory(prefix="studio-upload-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as target:
            while piece := file.file.read(1 << 20):
                target.write(piece)
        try:
            loaded = studio.media.take(path)
        except PersonError as error:
            return f"{_REFUSED}{error}"
        studio.brought(loaded.media, name, path.stat().st_size, person)
    return loaded.media.sha256


class _TooLarge(MultiPartException):
    def __init__(self) -> None:
        super().__init__("These files are larger together than what is taken at once; send fewer, or smaller ones.")

    def __str__(self) -> str:
        return self.message


async def _bounded(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > max_bytes:
            raise _TooLarge
        yield piece
