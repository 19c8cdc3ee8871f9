"""Where messages go: all of them into a file, and to the terminal only what a host must see.

Each message that a request brought about carries the request's id, which its answer has told the browser. With
STUDIO_LOG_FORMAT=json each message is one JSON object a line, in the file and on the terminal, for what collects logs.

Libraries warn about what their own makers should know (a missing kernel, a name that will change); in the file they are
found, on the terminal they would hide the address. The file is artifacts/studio.log, three older ones beside it.
"""

from __future__ import annotations

import json
import logging
import logging.handlers
import sys
import time
from contextvars import ContextVar
from pathlib import Path

from engine.settings import Settings

__all__ = ["REQUEST_ID", "keep_log"]

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="-")
"""Of the request that is being answered, in whatever thread or task that happens."""

_MOST_BYTES, _OLDER = 5_000_000, 3
_OURS = ("studio", "engine", "ui")
_THEIRS_IN_NEED = "uvicorn"


def keep_log(settings: Settings) -> Path:
    """Sends messages and warnings of this process to their places. Returns the file."""
    path = settings.artifacts / "studio.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(path, maxBytes=_MOST_BYTES, backupCount=_OLDER, encoding="utf-8")
    terminal = logging.StreamHandler(sys.stderr)
    if settings.log_format == "json":
        file.setFormatter(_AsJson())
        terminal.setFormatter(_AsJson())
    else:
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s [%(request_id)s]: %(message)s"))
        terminal.setFormatter(logging.Formatter("%(message)s"))
    for handler in (file, terminal):
        handler.addFilter(_with_request_id)
    terminal.addFilter(_is_for_a_host)
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
    logging.captureWarnings(True)
    return path


class _AsJson(logging.Formatter):
    """{"at", "level", "logger", "request", "message", "traceback"}, the last where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03}Z"
        said = {"at": at, "level": record.levelname, "logger": record.name, "request": record.__dict__["request_id"]}
        said["message"] = record.getMessage()
        if record.exc_info:
            said["traceback"] = self.formatException(record.exc_info)
        return json.dumps(said)


def _with_request_id(record: logging.LogRecord) -> bool:
    record.request_id = REQUEST_ID.get()
    return True


def _is_for_a_host(record: logging.LogRecord) -> bool:
    room = record.name.partition(".")[0]
    if room in _OURS:
        return record.name == "studio" or record.levelno >= logging.WARNING
    return room == _THEIRS_IN_NEED and record.levelno >= logging.ERROR
