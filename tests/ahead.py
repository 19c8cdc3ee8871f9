"""Writes ui/sending/ahead.json: which of Gradio's files each page asks for, as a browser does. `python -m tests.ahead`."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from typing import Any

ROOMS = ("", "curate", "train", "evaluate", "data", "people")
SETTLING_MS = 1500
_ASSET = re.compile(r"/(assets/[\w.-]+\.(?:js|css))$")


def assets_of(page: Any, address: str) -> list[str]:
    """Gradio's files that the page at `address` has asked for when its parts stand, in that order."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address)
    page.wait_for_selector("#navigation")
    page.wait_for_selector("#first", state="detached")
    page.wait_for_timeout(SETTLING_MS)
    found = [match[1] for url in asked if (match := _ASSET.search(url))]
    return list(dict.fromkeys(found))


def main() -> None:
    from playwright.sync_api import sync_playwright

    from engine.lab.bench.browsing import launched
    from tests.browser.live import LiveStudio
    from ui.sending.ahead import FILE

    FILE.write_text("{}\n", encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        live = LiveStudio(Path(folder))
        browser = launched(playwright)
        found = {f"/{room}": assets_of(browser.new_page(), f"{live.url}/{room}") for room in ROOMS}
        browser.close()
        live.close()
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
