"""A Chromium that a bench drives: Playwright is a tool of developers, so it may be missing, and then one sentence says so.

Times are taken by the page itself (`performance.now`), never by the process that drives it: what Playwright needs to pass
a message on is not the studio's.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.errors import Unavailable

__all__ = ["PAINTED", "chromium", "launched", "new_page"]

_TIMEOUT_MS = 120_000
_BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")

PAINTED = "() => new Promise((done) => requestAnimationFrame(() => { const after = new MessageChannel(); \
after.port1.onmessage = () => done(performance.now()); after.port2.postMessage(0); }))"
"""JavaScript: a function whose promise resolves, with the time, once the next frame was drawn. A task that a frame's
callback posts runs after that frame; at 60 frames a second this adds up to 17 ms to what is measured, 8 on average."""


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser of Playwright's. Raises Unavailable where Playwright or Chromium is missing."""
    try:
        from playwright import sync_api
    except ImportError:
        raise Unavailable(
            "this bench drives a browser, and Playwright is not installed; pip install -r requirements-dev.txt"
        ) from None
    with sync_api.sync_playwright() as playwright:
        try:
            browser = launched(playwright)
        except sync_api.Error as error:
            reason = str(error).strip().partition("\n")[0]
            raise Unavailable(
                "this bench drives a browser, and no Chromium could be started; apt-get install chromium, or playwright "
                f"install chromium, or name one with CHROMIUM=/path ({reason})"
            ) from None
        try:
            yield browser
        finally:
            browser.close()


def launched(playwright: Any) -> Any:
    """The browser that CHROMIUM names, else the first that is there: the headless shell, which draws no window and takes a
    third less of the machine, Debian's Chromium, or Playwright's own. Raises Playwright's Error where none is."""
    named = os.environ.get("CHROMIUM")
    path = named or next(filter(None, map(shutil.which, _BROWSERS)), None)
    return playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-quic"])


@contextmanager
def new_page(browser: Any) -> Iterator[Any]:
    """A page of a person of its own, on a screen of 1440 x 900. An error of its scripts raises RuntimeError at the end:
    figures of a page that broke are worth nothing."""
    errors: list[str] = []
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(_TIMEOUT_MS)
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page
    finally:
        context.close()
    if errors:
        raise RuntimeError(f"the page's own scripts failed while it was measured: {errors[:3]}")
