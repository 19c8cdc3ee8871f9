"""One home, one studio: a lock on the home's folder, held while the process lives.

The idea: the system's own lock on a file (`flock`) goes with its process, however that ends, so nothing has to be cleared
away after a crash. The file says who holds it, for the sentence that a second one ends with.

Commands go on beside a studio: the database is safe with several processes, media are stored under their hash, and a job is
claimed under the write lock. What must be one is the worker that takes jobs up again, and the memory of what answers.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

from engine.errors import Unavailable

__all__ = ["HomeLock", "holder_of"]

_LOG = logging.getLogger(__name__)
_NAME = "studio.lock"
_MOST_BYTES = 10_000


class HomeLock:
    """Held from its making until `release`, or the end of the process. `url` is where this studio answers.

    Raises Unavailable where another process has `home`, with who it is. Where the disk knows no locks (some network disks) it
    is held by nobody, and the log says so.
    """

    def __init__(self, home: Path, url: str) -> None:
        folder = home / "artifacts"
        folder.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = (folder / _NAME).open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise Unavailable(
                f"{home.resolve()} is in use by another studio ({holder_of(home)}); go there, stop it, or start this one with "
                "another STUDIO_HOME"
            ) from None
        except OSError as error:
            _LOG.warning("%s cannot be locked (%s): take care that only one studio works with it", home, error.strerror)
        self._file.truncate(0)
        self._file.write(json.dumps(_here(url)).encode())
        self._file.flush()

    def release(self) -> None:
        self._file.close()


def holder_of(home: Path) -> str:
    """Who has the lock, or had it last: "process 4711 on box, http://127.0.0.1:7860, since 2026-01-31 12:00 UTC"."""
    try:
        said: Mapping[str, Any] = json.loads((home / "artifacts" / _NAME).read_bytes()[:_MOST_BYTES])
        return f"process {said['pid']} on {said['host']}, {said['url']}, since {said['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "which one it does not say"


def _here(url: str) -> dict[str, Any]:
    since = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    return {"pid": os.getpid(), "host": socket.gethostname(), "url": url, "since": since}
