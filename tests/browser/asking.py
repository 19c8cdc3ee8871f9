"""What a test does on the Ask screen, and what the model says there."""

from __future__ import annotations

from typing import Any

from engine.store import Revision
from engine.trace import Box, SelectFrames, Step, ZoomIn
from tests.browser.live import LiveStudio

LOOK_TWICE = (
    Step("A red sign stands in the middle, too small to read.", ZoomIn(1, Box(0.4, 0.38, 0.6, 0.56))),
    Step("Closer still.", ZoomIn(2, Box(0.1, 0.1, 0.6, 0.6))),
    Step("Now I can read it.", answer="KX7421"),
)
LOOK_AT_FRAMES = (
    Step("It shows in the middle only.", SelectFrames((6, 7))),
    Step("I see it.", answer="EXIT 14"),
)
NEVER_DONE = (Step("I think and think.", answer="never said"),)


def pick(page: Any, number: int) -> None:
    page.click(f"#ask-samples li:nth-child({number}) button")
    page.wait_for_selector(".source-svg")


def ask(page: Any) -> None:
    """Asks, and comes back when the page shows this question, running or already answered."""
    question = page.input_value("#ask-question textarea").strip()
    page.click("#ask-run")
    page.wait_for_function("q => document.querySelector('.answer-question').textContent === q", arg=question)


def finish(page: Any) -> None:
    page.wait_for_selector("#ask-answer [data-state=done]")
    page.wait_for_selector("#ask-run:not([disabled])")


def newest(live: LiveStudio) -> Revision:
    item = live.studio.store.queue.page(limit=1).items[0].item
    return live.studio.store.revisions.head(item.id)
