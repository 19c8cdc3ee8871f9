"""Gradio's page closes its stream as soon as it is told that nothing is awaited, also where something was asked meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine.trace import Step
from tests.browser.asking import pick
from tests.browser.live import LiveStudio

_CLOSED = 'data: {"msg": "close_stream", "event_id": null}\n\n'


@pytest.fixture
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("ui.shell._HEAR_AGAIN_S", 2.0)
    studio = LiveStudio(tmp_path_factory.mktemp("missed"))
    yield studio
    studio.close()


def test_an_answer_that_the_page_stopped_listening_for_is_heard(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.goto(live.url)
    page.wait_for_selector("#ask-samples li")
    live.say(Step("I see it.", answer="EXIT 14"))
    pick(page, 1)
    page.route(
        "**/queue/data*",
        lambda route: route.fulfill(status=200, content_type="text/event-stream", body=_CLOSED),
        times=1,
    )
    with page.expect_request("**/queue/data*"):
        page.click("#ask-run")
    page.wait_for_selector("#ask-answer [data-state=done]", timeout=20_000)
    assert "EXIT 14" in page.inner_text("#ask-answer")
