"""README's pictures: `python -m tests.browser.pictures` drives the real studio in Chromium and writes them to docs/.

    ask.png        the embedded reasoner answers a question about a sample
    curate.webp    a script looked at the middle of the picture; a person drags its box to the sign that was asked about
                   and its sides to fit, the crop is cut again, and the embedded reasoner goes on from there

The pointer is drawn on top, since a browser without a window has none; everything else is what the page shows.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from engine.lab.bench.browsing import launched
from engine.lab.bench.running import RunningStudio
from tests.browser.curating import opened, settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser

DOCS = Path(__file__).resolve().parents[2] / "docs"
SAMPLE = 3
"""Which sample is asked about, from 0: one on a photograph."""
SIZE = (1440, 900)
SHOWN_WIDTH = 1080
MOVES = 6
MARGIN = 8
"""Pixels of the page that the box leaves around the sign."""
MOVE_MS, LOOK_MS, END_MS = 90, 1200, 2600


def main() -> None:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        browser = launched(playwright)
        home = Path(name)
        trace, sign = _looked_at_the_middle(home)
        with RunningStudio(home, STUDIO_MODEL="tiny") as studio:
            _ask(browser, studio)
            _curate(browser, studio, trace, sign)
        browser.close()


def _ask(browser: Browser, studio: RunningStudio) -> None:
    from playwright.sync_api import expect

    page = _page(browser)
    page.goto(studio.url)
    page.locator("#ask-samples button").nth(SAMPLE).click()
    expect(page.locator("#ask-media image, #ask-media img").first).to_be_visible()
    page.wait_for_timeout(1000)
    page.click("#ask-run")
    expect(page.locator("#ask-review")).to_be_enabled()
    page.wait_for_timeout(1000)
    page.screenshot(path=str(DOCS / "ask.png"))


def _looked_at_the_middle(home: Path) -> tuple[str, Sequence[float]]:
    """A trace of the scripted policy about the sample, and the box of the sign that it should have looked at."""
    drawn = home / "drawn"
    _engine(home, "examples", "mini-signs", "--count", str(SAMPLE + 1), "--seed", "9000", "--out", str(drawn))
    example = json.loads((drawn / "EXAMPLES.jsonl").read_text(encoding="utf-8").splitlines()[SAMPLE])
    told = _engine(home, "ask", str(drawn / example["media"]), example["question"], "--json")
    return json.loads(told)["id"], example["evidence"]["boxes"][0]


def _engine(home: Path, *words: str) -> str:
    environment = {**os.environ, "STUDIO_HOME": str(home), "STUDIO_MODEL": "scripted"}
    done = subprocess.run(
        [sys.executable, "-m", "engine", *words], capture_output=True, text=True, env=environment, cwd=DOCS.parent
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def _curate(browser: Browser, studio: RunningStudio, trace: str, sign: Sequence[float]) -> None:
    page = opened(_page(browser), studio, f"?trace={trace}")
    page.keyboard.press("1")
    page.wait_for_timeout(1500)
    box = "#curate-media g.box[data-step='0']"
    stage = page.locator("#curate-media .editor-svg image").first.bounding_box()
    x1, y1, x2, y2 = (
        stage[side] + stage[length] * share
        for side, length, share in zip("xyxy", ("width", "height") * 2, sign, strict=True)
    )
    film = [(_frame(page, None), LOOK_MS)]
    film += _dragged(page, f"{box} .box-body", ((x1 + x2) / 2, (y1 + y2) / 2))
    film += _dragged(page, f"{box} [data-handle=nw]", (x1 - MARGIN, y1 - MARGIN))
    film += _dragged(page, f"{box} [data-handle=e]", (x2 + MARGIN, y2))
    page.wait_for_selector(".crop[data-side=mine] img:not(.is-coming)")
    page.wait_for_timeout(800)
    film.append((_frame(page, None), LOOK_MS))
    film.append((_frame(page, _middle(page, "#curate-continue")), LOOK_MS // 2))
    page.click("#curate-continue")
    page.wait_for_selector(".candidate [data-act=take]:visible")
    page.wait_for_timeout(500)
    film.append((_frame(page, _middle(page, ".candidate [data-act=take]")), LOOK_MS))
    page.locator(".candidate [data-act=take]").first.click()
    settled(page)
    page.wait_for_timeout(800)
    film.append((_frame(page, None), END_MS))
    pictures, durations = [picture for picture, _ in film], [shown_ms for _, shown_ms in film]
    pictures[0].save(
        DOCS / "curate.webp",
        save_all=True,
        append_images=pictures[1:],
        duration=durations,
        loop=0,
        quality=62,
        method=6,
    )


def _dragged(page: Any, selector: str, end: tuple[float, float]) -> list[tuple[Image.Image, int]]:
    """Drags the middle of an element to `end`; what is seen meanwhile."""
    start = _middle(page, selector)
    film = [(_frame(page, start), LOOK_MS // 3)]
    page.mouse.move(*start)
    page.mouse.down()
    for k in range(1, MOVES + 1):
        at = (start[0] + (end[0] - start[0]) * k / MOVES, start[1] + (end[1] - start[1]) * k / MOVES)
        page.mouse.move(*at)
        film.append((_frame(page, at), MOVE_MS))
    page.mouse.up()
    settled(page)
    return film


def _middle(page: Any, selector: str) -> tuple[float, float]:
    place = page.locator(selector).first.bounding_box()
    return place["x"] + place["width"] / 2, place["y"] + place["height"] / 2


def _page(browser: Browser) -> Any:
    page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]}, color_scheme="dark")
    page.set_default_timeout(120_000)
    return page


def _frame(page: Any, pointer: tuple[float, float] | None) -> Image.Image:
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    if pointer is not None:
        x, y = pointer
        arrow = [(0, 0), (0, 22), (5, 17), (9, 26), (13, 24), (9, 16), (16, 16)]
        ImageDraw.Draw(picture).polygon([(x + dx, y + dy) for dx, dy in arrow], fill="white", outline="black")
    return picture.resize((SHOWN_WIDTH, SIZE[1] * SHOWN_WIDTH // SIZE[0]), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
