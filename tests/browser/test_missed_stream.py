"""Gradio's page closes its stream as soon as it is told that nothing is awaited, also where it asked for something meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.live import LiveStudio
from tests.browser.traces import picture_trace

_CLOSED = 'data: {"msg": "close_stream", "event_id": null}\n\n'


@pytest.fixture
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("ui.train._HEAR_AGAIN_S", 4.0)
    studio = LiveStudio(tmp_path_factory.mktemp("missed"))
    yield studio
    studio.close()


def test_a_page_that_watches_hears_again(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.goto(f"{live.url}/train")
    page.wait_for_selector("#train-basis:has-text('Nothing is accepted yet')")
    page.route(
        "**/queue/data*",
        lambda route: route.fulfill(status=200, content_type="text/event-stream", body=_CLOSED),
        times=1,
    )
    with page.expect_request("**/queue/data*"):
        pass
    with live.store() as store:
        trace = picture_trace(store, live.media(), 0).id
        store.reviews.record(store.traces.get(trace).head_id, "ann", "accepted")
    page.wait_for_selector("#train-basis:not(:has-text('Nothing is accepted yet'))", timeout=30_000)
