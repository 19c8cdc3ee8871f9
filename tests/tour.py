"""The guided tour in pictures: `python -m tests.tour` writes docs/tour.md and its ten pictures.

A studio with the embedded reasoner in a process of its own, driven in a browser as a person would. It takes a few minutes.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from engine.lab.bench.browsing import launched
from engine.lab.bench.running import RunningStudio

OUT = Path(__file__).parent.parent / "docs" / "tour"
PHOTOGRAPH = Path(__file__).parent.parent / "engine" / "lab" / "world" / "assets" / "photographs" / "china.jpg"
WIDE, PHONE = (1440, 900), (390, 844)


def pick(page: Any, title: str) -> None:
    page.click(f"#ask-samples button:has(.samples-title:text-is('{title}'))")
    page.wait_for_selector(".source-svg")


def ask(page: Any) -> None:
    page.click("#ask-run")
    page.wait_for_selector("#ask-answer [data-state=done]")
    page.wait_for_selector("#ask-run:not([disabled])")


def empty(page: Any) -> None:
    page.wait_for_selector("#ask-samples li")


def answered(page: Any) -> None:
    pick(page, "Picture 1")
    ask(page)


def clip(page: Any) -> None:
    pick(page, "Clip 1")
    ask(page)


def unsure(page: Any) -> None:
    page.set_input_files("#ask-media input[type=file]", PHOTOGRAPH)
    page.wait_for_selector(".source-name:has-text('china')")
    page.fill("#ask-question textarea", "Describe this picture.")
    ask(page)


def told(page: Any) -> None:
    answered(page)
    page.click(".answer-tell")
    page.wait_for_selector(".answer-told[open] .answer-turn")


def curate(page: Any) -> None:
    page.wait_for_selector(".queue-row")
    page.click(".queue-row")
    page.wait_for_selector("#curate-approve:enabled")


def still(page: Any) -> None:
    page.wait_for_selector("#first", state="detached")


STOPS: tuple[tuple[str, str, tuple[int, int], str, Callable[[Any], None], str], ...] = (
    ("ask", "", WIDE, "light", empty, "Pick a sample, or bring a picture or a clip of your own."),
    ("answer", "", WIDE, "light", answered, "The model looks closer, box by box, and answers; the card says how sure it is."),
    ("clip", "", WIDE, "dark", clip, "In a clip it picks frames first; the strip lights them in the colour of their step."),
    ("unsure", "", WIDE, "light", unsure, "Outside its world the small model says something all the same, and the card says "
     "that it is not to be believed, and how to use a real model."),
    ("told", "", WIDE, "dark", told, "What the model was told and said, word for word, with each view at the size it saw."),
    ("phone", "", PHONE, "light", answered, "The same on a phone."),
    ("curate", "curate", WIDE, "light", curate, "What was asked stands in the queue: drag a box, correct a thought, approve."),
    ("train", "train", WIDE, "light", still, "What was approved trains the next adapter, in the same process."),
    ("evaluate", "evaluate", WIDE, "dark", still, "Benchmarks and your own examples, two policies side by side."),
    ("data", "data", WIDE, "light", still, "Import, export, share."),
)  # fmt: skip
"""(name, room, window, scheme, what is done there, what is to be seen)."""


def main() -> None:
    from playwright.sync_api import sync_playwright

    OUT.mkdir(exist_ok=True)
    lines = ["# A tour in ten pictures", "", "Made by `python -m tests.tour`, with the embedded reasoner.", ""]
    with (
        tempfile.TemporaryDirectory() as home,
        sync_playwright() as playwright,
        RunningStudio(Path(home), STUDIO_MODEL="tiny") as studio,
    ):
        browser = launched(playwright)
        for name, room, (width, height), scheme, act, words in STOPS:
            page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme).new_page()
            page.set_default_timeout(180_000)
            page.goto(f"{studio.url}/{room}")
            still(page)
            act(page)
            page.wait_for_timeout(1200)
            picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            picture.save(OUT / f"{name}.webp", quality=82, method=6)
            lines += [f"## {words}", "", f"![{words}](tour/{name}.webp)", ""]
            page.close()
        browser.close()
    (OUT.parent / "tour.md").write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
