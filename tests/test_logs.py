"""Messages as JSON, each with the request that brought it about."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from engine.logs import REQUEST_ID, keep_log
from engine.settings import Settings


@pytest.fixture
def logging_as_it_was():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.captureWarnings(False)


@pytest.mark.usefixtures("logging_as_it_was")
def test_each_line_is_an_object_with_the_request(tmp_path: Path) -> None:
    settings = {"STUDIO_HOME": str(tmp_path), "STUDIO_LOG_FORMAT": "json"}
    path = keep_log(Settings.from_environment(settings))
    token = REQUEST_ID.set("a-request")
    try:
        1 / 0  # noqa: B018
    except ZeroDivisionError:
        logging.getLogger("engine.store").exception("two\nlines of %s", "a message")
    finally:
        REQUEST_ID.reset(token)
    logging.getLogger("studio").info("later")
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["request"], first["message"], first["level"]) == ("a-request", "two\nlines of a message", "ERROR")
    assert "ZeroDivisionError" in first["traceback"] and first["at"].endswith("Z")
    assert (second["request"], second["logger"]) == ("-", "studio")
