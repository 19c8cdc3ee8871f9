"""Where messages go: all of them into a file, and to the terminal only what a host must see.

Libraries warn about what their own makers should know (a missing kernel, a name that will change); in the file they are
found, on the terminal they would hide the address. The file is artifacts/studio.log, three older ones beside it.
"""

from __future__ import annotations

import logging
import logging.handlers
import sys
from pathlib import Path

from engine.settings import Settings

__all__ = ["keep_log"]

_MOST_BYTES, _OLDER = 5_000_000, 3
_OURS = ("studio", "engine", "ui")
_THEIRS_IN_NEED = "uvicorn"


def keep_log(settings: Settings) -> Path:
    """Sends messages and warnings of this process to their places. Returns the file."""
    path = settings.artifacts / "studio.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(path, maxBytes=_MOST_BYTES, backupCount=_OLDER, encoding="utf-8")
    file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setFormatter(logging.Formatter("%(message)s"))
    terminal.addFilter(_is_for_a_host)
    logging.basicConfig(level=logging.INFO, handlers=[file, terminal], force=True)
    logging.captureWarnings(True)
    return path


def _is_for_a_host(record: logging.LogRecord) -> bool:
    room = record.name.partition(".")[0]
    if room in _OURS:
        return record.name == "studio" or record.levelno >= logging.WARNING
    return room == _THEIRS_IN_NEED and record.levelno >= logging.ERROR
