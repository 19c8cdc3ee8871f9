"""Files that a browser sends for an import: each file streamed to disk, a folder for each import.

    artifacts/incoming/<id>/...    what was sent, under the names that it had in the sender's folder

Invariants: a name from a browser never leads out of its folder; no more than the limit is ever on disk for one import; a file
that was not sent whole is not there. The job deletes the folder when all is in (`engine.jobs.importing`); what nobody imported
goes after a day.
"""

from __future__ import annotations

import re
import secrets
import shutil
import threading
import time
from collections.abc import AsyncIterator, Collection
from pathlib import Path

from engine.errors import InvalidInput, NotFound
from engine.importing.places import PlaceLimits, ZipPlace, hidden, plain_name

__all__ = ["Uploads"]

_FORGOTTEN_AFTER_S = 24 * 3600


class Uploads:
    """`root` is the folder of all of them, `max_bytes` the most of one."""

    def __init__(self, root: Path, max_bytes: int) -> None:
        self._root = root
        self._max_bytes = max_bytes
        self._guard = threading.Lock()
        self._sizes: dict[str, int] = {}

    def begin(self) -> str:
        """A new upload's id, which nobody can guess."""
        upload = secrets.token_hex(16)
        (self._root / upload).mkdir(parents=True)
        self._sizes[upload] = 0
        return upload

    def folder(self, upload: str) -> Path:
        """Raises NotFound."""
        folder = self._root / upload
        if not re.fullmatch(r"[0-9a-f]{32}", upload) or not folder.is_dir():
            raise NotFound("What was sent is not here any more; send it again.")
        return folder

    def path(self, upload: str) -> Path:
        """What was sent: the one file or folder, or the folder of several. Raises NotFound where nothing was."""
        folder = self.folder(upload)
        sent = sorted(one for one in folder.iterdir() if not one.name.startswith("."))
        if not sent:
            raise NotFound("Nothing was sent yet.")
        return sent[0] if len(sent) == 1 else folder

    async def receive(self, upload: str, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Writes a file. Raises InvalidInput for a name that leads elsewhere, and past the limit."""
        plain = plain_name(name)
        if plain is None or "\0" in plain or "." in name.split("/") or ".." in name.replace("\\", "/").split("/"):
            raise InvalidInput(f"A file cannot be called {name[:100]!r} here.")
        if hidden(plain):
            async for _ in chunks:
                pass
            return
        target = self.folder(upload) / plain
        partial = target.with_name(f".{secrets.token_hex(8)}")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                async for chunk in chunks:
                    self._count(upload, len(chunk))
                    file.write(chunk)
            partial.replace(target)
        except OSError as error:
            raise InvalidInput(f"{name[:100]} cannot be written here: {error.strerror or error}") from error
        finally:
            partial.unlink(missing_ok=True)

    def _count(self, upload: str, size: int) -> None:
        with self._guard:
            if upload not in self._sizes:  # begun before this process
                self._sizes[upload] = sum(one.stat().st_size for one in self.folder(upload).rglob("*") if one.is_file())
            self._sizes[upload] += size
            if self._sizes[upload] > self._max_bytes:
                raise InvalidInput(
                    f"At most {self._max_bytes // 1_000_000:,} MB can be sent at once (STUDIO_MAX_IMPORT_MB); larger data are "
                    "read from a folder of the host, or in parts."
                )

    def unpacked(self, upload: str) -> Path:
        """What was sent, for readers that want files: a zip is unpacked beside itself, once. Raises InvalidInput for one that
        is too much, NotFound."""
        sent = self.path(upload)
        if sent.suffix.lower() != ".zip" or not sent.is_file():
            return sent
        place = ZipPlace(sent, PlaceLimits(max_unpacked_bytes=self._max_bytes))
        folder = self.folder(upload) / ".unpacked"
        for name in place.names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with place.open(name) as member, (folder / name).open("wb") as file:
                shutil.copyfileobj(member, file)
        return folder

    def sweep(self, in_use: Collection[str]) -> None:
        """Deletes what was sent more than a day ago and is no job's, by the paths of the folders that jobs use."""
        for folder in self._root.iterdir() if self._root.is_dir() else ():
            if str(folder) not in in_use and time.time() - folder.stat().st_mtime > _FORGOTTEN_AFTER_S:
                shutil.rmtree(folder, ignore_errors=True)
        with self._guard:
            self._sizes = {upload: size for upload, size in self._sizes.items() if (self._root / upload).is_dir()}
