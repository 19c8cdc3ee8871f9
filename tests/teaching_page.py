"""The pictures of docs/teaching.md: `python -m tests.teaching_page` teaches a new kind of scene in a real studio.

A studio with the embedded reasoner in a process of its own, driven in a browser as the page tells it. One plate of sixty is
corrected on the screen; the others are corrected as `engine.lab.bench.teaching` does it. It trains, so it takes its time.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from engine.lab.bench.browsing import launched
from engine.lab.bench.running import RunningStudio
from engine.policies.scripted import ScriptedPolicy
from engine.synthesis.regions import box_on, cue_of
from engine.trace import Box, ZoomIn
from engine.workbench import Workbench
from tests.browser.curating import opened, settled

OUT = Path(__file__).parent.parent / "docs" / "teaching"
PLATES, SIGNS = "plates", "signs"
QUESTION = "What does the number plate say?"
TAUGHT, PRACTISED = 60, 72
STEPS, RATE, VARIANTS = 400, 0.001, 3
"""Fewer steps than the bench's: whoever follows the page waits."""


def examples(name: str, split: str, count: int, seed: int, out: Path) -> Path:
    """The folder with that many drawn examples, as a person writes them."""
    asked = ["examples", name, "--split", split, "--count", str(count), "--seed", str(seed), "--out", str(out)]
    subprocess.run(
        [sys.executable, "-m", "engine", *asked], check=True, cwd=OUT.parents[1], env={**os.environ}, stdout=sys.stderr
    )
    return out


def shown(page: Any, name: str, within: str | None = None) -> None:
    """A picture of the page, or of one part of it, as docs/teaching/NAME.webp."""
    page.wait_for_timeout(1200)
    taken = page.screenshot() if within is None else page.locator(within).first.screenshot()
    Image.open(io.BytesIO(taken)).convert("RGB").save(OUT / f"{name}.webp", quality=82, method=6)


def ask(page: Any, studio: RunningStudio, picture: Path) -> None:
    page.goto(studio.url)
    page.set_input_files("#ask-media input[type=file]", picture)
    page.wait_for_selector(f".source-name:has-text('{picture.stem}')")
    page.fill("#ask-question textarea", QUESTION)
    page.click("#ask-run")
    page.wait_for_selector("#ask-answer [data-state=done]")
    page.wait_for_selector("#ask-run:not([disabled])")


def bring_in(page: Any, studio: RunningStudio, folder: Path) -> None:
    """A folder becomes a data set, and the model attempts each of its questions once."""
    page.goto(f"{studio.url}/data")
    page.set_input_files("#data-import input[webkitdirectory]", str(folder))
    page.wait_for_selector("#data-import-preview .data-row")
    if folder.name == PLATES:
        shown(page, "import")
    page.click("#data-import-start")
    page.wait_for_selector("#data-import .data-job[data-state=done]")
    page.click(f"[aria-label='Collect attempts at {folder.name}']")
    page.fill("#data-collect-attempts", "1")
    page.click("#data-collect-start")
    page.wait_for_selector(f"#data-sets .data-job[data-state=done]:has-text('{folder.name}')")


def correct_all(page: Any, studio: RunningStudio) -> None:
    """One on the screen, the others by the workbench."""
    from engine.lab.bench import teaching

    with studio.store() as store:
        workbench = Workbench(store, studio.media(), ScriptedPolicy)
        found = []
        for listed in store.queue.page(limit=1000).items:
            record = store.traces.get(listed.item.id)
            trace = store.revisions.head(record.id).trace
            if (record.example.source or "").startswith(PLATES):
                found.append((record.id, trace, record.example))
        assert len(found) == TAUGHT, f"{len(found)} attempts are in the queue"
        plain = next(one for one in found if len(one[1].steps) == 2 and isinstance(one[1].steps[0].operation, ZoomIn))
        for trace_id, trace, example in found:
            if trace_id != plain[0]:
                teaching.correct(workbench, trace_id, trace, example)
    trace_id, _, example = plain
    assert example.evidence is not None and example.answer is not None
    opened(page, studio, f"?trace={trace_id}")
    shown(page, "attempt")
    page.keyboard.press("1")
    stretch(page, box_on(cue_of(example.evidence.boxes)))
    page.fill("#curate-thought textarea", teaching.LOOK)
    page.locator("#curate-thought textarea").blur()
    settled(page)
    page.keyboard.press("2")
    page.fill("#curate-thought textarea", teaching.ANSWER)
    page.fill("#curate-answer textarea", example.answer)
    page.locator("#curate-answer textarea").blur()
    settled(page)
    page.click("[data-act=confirm]:visible")
    settled(page)
    shown(page, "corrected")
    page.click("#curate-approve")
    page.wait_for_timeout(1500)


def stretch(page: Any, box: Box) -> None:
    """Drags the first step's box and two of its corners until it is `box`."""
    stage = page.locator("#curate-media .editor-svg image").first.bounding_box()

    def at(x: float, y: float) -> tuple[float, float]:
        return stage["x"] + stage["width"] * x, stage["y"] + stage["height"] * y

    drawn = "#curate-media g.box[data-step='0']"
    for part, end in (
        (".box-body", at((box.x1 + box.x2) / 2, (box.y1 + box.y2) / 2)),
        ("[data-handle=nw]", at(box.x1, box.y1)),
        ("[data-handle=se]", at(box.x2, box.y2)),
    ):
        place = page.locator(f"{drawn} {part}").first.bounding_box()
        page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
        page.mouse.down()
        page.mouse.move(*end, steps=6)
        page.mouse.up()
        settled(page)


def approve_right(page: Any, studio: RunningStudio) -> None:
    """What was right already is approved in one act."""
    page.goto(f"{studio.url}/curate?source={SIGNS}&outcome=right")
    page.wait_for_selector("#curate-approve:enabled")
    page.keyboard.press("v")
    page.click(".bulk [data-act=all]")
    shown(page, "approve")
    page.click(".bulk [data-act=accepted]")
    page.wait_for_selector(".notice-text:has-text('approved')")


def train(page: Any, studio: RunningStudio) -> None:
    page.goto(f"{studio.url}/train")
    page.wait_for_selector("#train-start:enabled")
    page.fill("#train-rate input", str(RATE))
    page.click("#train-advanced button")
    page.fill("#train-steps input", str(STEPS))
    page.fill("#train-variants input", str(VARIANTS))
    page.wait_for_selector(f"#train-start-plan .plan-text:has-text('{STEPS} steps')")
    shown(page, "train")
    page.click("#train-start")
    page.wait_for_selector("#train-status .job[data-state=done]")
    page.wait_for_selector("#train-promote:enabled")
    page.locator("#train-comparison").scroll_into_view_if_needed()
    shown(page, "trained")
    page.click("#train-promote")
    page.wait_for_selector("#train-live .who.is-adapted, #train-promote-anyway:visible")
    if page.locator("#train-promote-anyway:visible").count():  # too few were held out to tell
        page.click("#train-promote-anyway")
    page.wait_for_selector("#train-live .who.is-adapted")


def main() -> None:
    from playwright.sync_api import sync_playwright

    from engine.lab.bench import teaching

    OUT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        plates = examples(teaching.NEW, "train", TAUGHT, teaching.SEED, folder / PLATES)
        signs = examples(teaching.OLD, "validation", PRACTISED, teaching.SEED + 1, folder / SIGNS)
        fresh = examples(teaching.NEW, "validation", 1, 0, folder / "fresh")
        (picture,) = fresh.glob("*.png")
        picture = picture.rename(fresh / "street.png")
        browser = launched(playwright)
        page = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce").new_page()
        page.set_default_timeout(3_600_000)
        home = folder / "home"
        home.mkdir()
        with RunningStudio(home, STUDIO_MODEL="tiny") as studio:
            ask(page, studio, picture)
            shown(page, "before")
            bring_in(page, studio, plates)
            correct_all(page, studio)
            bring_in(page, studio, signs)
            approve_right(page, studio)
            train(page, studio)
            ask(page, studio, picture)
            shown(page, "after")
        browser.close()


if __name__ == "__main__":
    main()
