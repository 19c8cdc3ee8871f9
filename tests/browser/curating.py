"""What the tests of the Curate screen have in common: opening it, waiting for it, dragging boxes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from engine.lab.bench.running import RunningStudio
from engine.store import Store
from tests.browser.live import LiveStudio

__all__ = ["drag_box", "eventually", "opened", "settled", "time_passes"]


def eventually(check: Callable[[], Any], expected: Any, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while (found := check()) != expected and time.monotonic() < deadline:
        time.sleep(0.1)
    assert found == expected


def opened(page: Any, studio: RunningStudio | LiveStudio, query: str = "") -> Any:
    """The page with a trace on the bench, ready for keys."""
    page.goto(f"{studio.url}/curate{query}")
    page.wait_for_selector("#curate-approve:enabled")
    return page


def time_passes(store: Store) -> None:
    """Whoever came before is long gone. A browser that is shut down in the middle of a request cannot say so, and its
    traces would be reserved until the reservations run out."""
    for item in (listed.item for listed in store.queue.page(limit=1000).items):
        if (held := store.reservations.of(item.id)) is not None:
            store.reservations.release(item.id, held.holder)


def settled(page: Any) -> None:
    """Everything that was done has reached the server, and what it answered is on the screen."""
    page.wait_for_timeout(60)
    page.wait_for_function("document.querySelector('.inspector-saved').dataset.state === 'saved'")


def drag_box(page: Any, step: int, by: tuple[float, float]) -> None:
    """Drags the middle of a step's box by shares of the picture, with the mouse."""
    body = page.locator(f"#curate-media g.box[data-step='{step}'] .box-body").bounding_box()
    stage = page.locator(".editor-svg").bounding_box()
    # A corner of the box, as another one may lie on its middle.
    x, y = body["x"] + body["width"] * 0.12, body["y"] + body["height"] * 0.12
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + by[0] * stage["width"] / 2, y + by[1] * stage["height"] / 2, steps=3)
    page.mouse.move(x + by[0] * stage["width"], y + by[1] * stage["height"], steps=3)
    page.mouse.up()
