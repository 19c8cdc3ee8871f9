"""README's picture: `python -m tests.browser.screenshots` asks the embedded reasoner about a sample and writes docs/ask.png."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from engine.lab.bench.running import RunningStudio

OUT = Path(__file__).resolve().parents[2] / "docs" / "ask.png"
SAMPLE = 3
"""Which sample is asked about, from 0: one on a photograph."""


def main() -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        studio = RunningStudio(Path(home), STUDIO_MODEL="tiny").start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        try:
            page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="dark")
            page.goto(studio.url)
            page.locator("#ask-samples button").nth(SAMPLE).click(timeout=60_000)
            expect(page.locator("#ask-media image, #ask-media img").first).to_be_visible(timeout=60_000)
            page.wait_for_timeout(1000)
            page.click("#ask-run")
            expect(page.locator("#ask-review")).to_be_enabled(timeout=60_000)
            page.wait_for_timeout(1000)
            page.screenshot(path=str(OUT))
        finally:
            browser.close()
            studio.stop()


if __name__ == "__main__":
    main()
