"""The Evaluate screen in a browser: two runs on the same examples, compared, with what changed between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from engine.trace import Example, Step
from tests.browser.curating import eventually
from tests.browser.live import LiveStudio


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[LiveStudio]:
    home = tmp_path_factory.mktemp("evaluate")
    live = LiveStudio(home)
    media, store = live.studio.media, live.studio.store
    for k in range(3):
        Image.new("RGB", (120, 80), (80 * k, 90, 40)).save(home / f"{k}.png")
        medium = media.take(home / f"{k}.png").media
        example = Example(f"What is number {k}?", (medium,), "A" if k else "B", ("red", "blue"))
        store.examples.record("numbers", example, original_id=str(k), file_names=(f"{k}.png",))
    yield live
    live.close()


def run_one(page: Any, live: LiveStudio, answer: str, operations: str = "yes", **chosen: str) -> None:
    live.say(Step("I see it.", answer=answer))
    before = page.locator(".evaluations-table tbody tr").count()
    page.select_option("#evaluate-benchmark", "numbers")
    page.select_option("#evaluate-operations", operations)
    for name, value in chosen.items():
        page.select_option(f"#evaluate-{name}", value)
    page.fill("#evaluate-limit", "")
    page.click("#evaluate-start")
    page.wait_for_function(f"document.querySelectorAll('.evaluations-table tbody tr').length === {before + 1}")


def test_two_runs_are_compared_and_the_changed_come_with_pictures(
    live: LiveStudio, new_page: Callable[..., Any], axe: Any
) -> None:
    page = new_page(1440, 900)
    page.goto(f"{live.url}/evaluate")
    page.wait_for_selector("#evaluate-benchmark option[value=numbers]", state="attached")
    assert "Small signs: mini-signs" in page.inner_text("#evaluate-benchmark")
    assert page.inner_text(".data-empty").startswith("Nothing yet.")
    run_one(page, live, "A")
    run_one(page, live, "B", "no", protocol="pixel-reasoner")
    rows = page.locator(".evaluations-table tbody tr")
    assert "33.3" in rows.nth(0).inner_text() and "at first sight" in rows.nth(0).inner_text()
    assert "66.7" in rows.nth(1).inner_text()
    rows.nth(1).locator("input").check()
    rows.nth(0).locator("input").check()
    page.wait_for_selector(".evaluations-words:has-text('cannot be told apart with 3 examples')")
    changes = page.locator(".differing")
    assert changes.count() == 3
    assert changes.nth(0).get_attribute("class") == "differing is-worse"
    assert "right: A (red)" in changes.nth(0).inner_text()
    assert "first: A (red)" in changes.nth(0).inner_text() and "second: B (blue)" in changes.nth(0).inner_text()
    assert [row.locator("td").first.inner_text() for row in rows.all()] == ["second", "first"]
    page.wait_for_function("[...document.querySelectorAll('.differing-picture')].every((one) => one.naturalWidth)")
    rows.nth(0).get_by_text("Details").click()
    facts = page.inner_text(".evaluations-facts")
    assert "not allowed" in facts and "pixel-reasoner a3a6c3a" in facts
    assert ", as pixel-reasoner" in rows.nth(0).inner_text()
    rows.nth(0).get_by_text("Details").click()
    assert not page.is_visible(".evaluations-facts")
    rows.nth(1).get_by_text("Details").click()
    assert page.inner_text(".evaluations-facts dd >> nth=0").startswith("numbers, scripted, ")
    assert "" not in page.locator(".evaluations-facts dd").all_inner_texts()
    run_one(page, live, "A", crops="black")
    assert "black crops" in rows.nth(0).inner_text()
    assert axe(page) == []
    changes.nth(0).locator("a").first.click()
    page.wait_for_selector("text=What is number")
    phone = new_page(390, 844, color_scheme="dark")
    phone.goto(f"{live.url}/evaluate")
    phone.wait_for_selector(".evaluations-table tbody tr")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    assert axe(phone) == []


def test_a_path_of_the_host_is_no_benchmark(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.goto(f"{live.url}/evaluate")
    told = page.evaluate(
        """() => fetch('evaluations', {method: 'POST', headers: {'X-Studio': '1', 'Content-Type': 'application/json'},
        body: JSON.stringify({benchmark: '/etc/hostname', adapter: 'live', limit: null, is_operating: true,
        crops: 'real', is_weighing_looks: false})})
        .then(async (answer) => [answer.status, (await answer.json()).error])"""
    )
    assert told == [422, "there is no benchmark '/etc/hostname' in this studio"]


def test_a_run_that_ends_before_the_page_looks_at_it_is_listed(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    jobs, page = live.studio.store.jobs, new_page()
    with page.expect_response("**/data/evaluate/jobs"):
        page.goto(f"{live.url}/evaluate")
    page.wait_for_selector("#evaluate-benchmark option[value=numbers]", state="attached")
    count = len(jobs.list(limit=1000, kinds=["evaluate"]))

    def late(route: Any) -> None:
        eventually(lambda: [job.state for job in jobs.list(limit=1000, kinds=["evaluate"])][: -count or None], ["done"])
        route.continue_()

    page.route("**/data/evaluate/jobs", late, times=1)
    run_one(page, live, "A")
