"""A harmless marker script in every text that a person, a model, a file's name or an import can bring: it runs on no screen, and
no screen fetches anything from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from engine.store import Query
from engine.trace import Example, Step
from tests.browser.live import LiveStudio
from tests.browser.traces import picture_trace

FOREIGN = "http://marker.invalid"
MARKERS = (
    "<script>window.marked=1</script>",
    f"<img src={FOREIGN}/a.png onerror=window.marked=2>",
    "<svg onload=window.marked=3>",
    "${window.marked=4} {{window.marked=5}} `${window.marked=6}`",
    f"[a](javascript:window.marked=7) ![b]({FOREIGN}/b.png) <a href='javascript:window.marked=8'>c</a>",
    "</script><script>window.marked=9</script>\"'><iframe srcdoc='<script>parent.marked=10</script>'>",
)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[LiveStudio]:
    live = LiveStudio(tmp_path_factory.mktemp("marked"))
    store, media, everything = live.studio.store, live.studio.media, " ".join(MARKERS)
    live.say(Step(everything, answer=everything))
    for number, marker in enumerate((everything, MARKERS[1])):
        made = picture_trace(store, media, number + 1, question=f"{marker} which?", answer=marker)
        trace = store.revisions.head(made.id).trace
        steps = (replace(trace.steps[0], thought=everything), *trace.steps[1:])
        head = store.revisions.append(made.id, replace(trace, steps=steps), marker, made.head_id)
        store.tags.add(made.id, marker[:40], marker)
        store.reviews.record(head.id, marker, "rejected", everything[:400])
    medium = media.load(live.picture).media
    store.media.record(medium, f"{everything}.png")
    store.examples.record("brought in", Example(everything, (medium,), everything, options=MARKERS))
    store.jobs.set_state(store.jobs.create("export", {"format": everything}, {}, {}).id, "failed", everything)
    store.tags.save_view("ann", "view", Query())
    yield live
    live.studio.worker.close(30)
    live.close()


def test_no_marker_runs_and_nothing_is_fetched_from_elsewhere(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    page, foreign = new_page(), []
    page.on("request", lambda asked: foreign.append(asked.url))
    ids = live.studio.store.traces.ids()
    seen = []
    screens = {
        **{f"/curate?trace={one}": "#curate-steps li" for one in ids},
        "/train": ".plan",
        "/evaluate": "#evaluate-benchmark option",
        "/data": "#data-sets :text('brought in')",
        f"/?trace={ids[0]}": ".answer-text",
        "/": "#ask-samples li",
    }
    for path, drawn in screens.items():
        page.goto(live.url + path)
        page.wait_for_selector(drawn, state="attached")
        seen.append(page.evaluate("window.marked"))
        if path.startswith("/curate"):
            assert "<img src=" in page.locator("#curate-steps").inner_text()
    page.click("#ask-samples li:nth-child(1) button")
    page.wait_for_selector(".source-svg")
    page.fill("#ask-question textarea", " ".join(MARKERS))
    page.click("#ask-run")
    page.wait_for_selector("#ask-answer [data-state=done]")
    seen.append(page.evaluate("window.marked"))
    assert seen == [None] * len(seen)
    assert [url for url in foreign if not url.startswith((live.url, "data:", "blob:"))] == []
