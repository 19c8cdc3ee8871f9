"""The Data screen in a browser: a folder comes in with what had to be said, is attempted, and goes out; axe-core on all."""

from __future__ import annotations

import pytest

from tests.browser.live import LiveStudio
from tests.importing.conftest import png, rows, write_csv


@pytest.fixture(scope="module")
def live(tmp_path_factory, chromium):
    live = LiveStudio(tmp_path_factory.mktemp("data"))
    yield live
    live.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Four pictures with boxes in pixels, and a row whose picture is not there."""
    folder = tmp_path_factory.mktemp("brought") / "street"
    (folder / "pictures").mkdir(parents=True)
    for k in range(4):
        (folder / "pictures" / f"{k}.png").write_bytes(png(k))
    table = [row | {"bbox": "[4, 4, 24, 28]"} for row in rows(5)]
    write_csv(folder / "questions.csv", table)
    return folder


def begun_long_ago(route) -> None:
    answer = route.fetch().json()
    for job in answer["jobs"]:
        job["created_at"] = "2026-01-01T00:00:00.000Z"
    route.fulfill(json=answer)


def test_in_attempted_and_out(new_page, live, folder, axe):
    page = new_page()
    page.goto(f"{live.url}/data")
    page.set_input_files("#data-import input[webkitdirectory]", str(folder))
    page.wait_for_selector("#data-import-preview .data-row")
    assert page.locator(".data-asks li").count() == 1 and page.is_disabled("#data-import-start")
    assert page.locator(".data-row img").count() == 4 and page.locator(".data-row rect").count() == 0
    page.get_by_label("Boxes are in").select_option("pixels")
    page.wait_for_selector(".data-row rect")
    assert page.locator(".data-row.is-bad").count() == 1 and page.input_value("#data-import-name") == "street"
    assert axe(page) == []
    page.click("#data-import-start")
    page.wait_for_selector("#data-import .data-job[data-state=done]")
    page.click("#data-import .data-list summary")
    assert "no file 'pictures/4.png'" in page.inner_text("#data-import .data-list ul")
    assert [(one.name, one.count) for one in live.studio.store.examples.data_sets()] == [("street", 4)]

    page.click("text=Collect")
    page.click("#data-collect-start")
    page.wait_for_selector("#data-sets .data-job[data-state=done]")
    assert sum(live.studio.store.traces.counts().values()) == 8
    beside = new_page()
    beside.route("**/data/collect/jobs", begun_long_ago)
    beside.goto(f"{live.url}/data")
    beside.wait_for_selector("#data-sets .data-job[data-state=done]")
    assert beside.inner_text("#data-sets .data-job-state") in ("done just now", "done 1 min ago")
    beside.goto(f"{live.url}/{page.get_attribute('#data-sets .data-link', 'href')}")
    beside.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 4")
    page.select_option("#data-export-status", "new")
    page.click("#data-export-start")
    page.wait_for_selector("#data-export .data-job[data-state=done]")
    with page.expect_download() as download:
        page.click("text=Download as zip")
    assert download.value.suggested_filename.startswith("trace-json-")
    assert axe(page) == []


def test_a_phone_in_the_dark_names_a_path_and_hears_why_not(new_page, live, folder, axe):
    page = new_page(390, 844, color_scheme="dark")
    page.goto(f"{live.url}/data?__theme=dark")
    page.fill("#data-import-path", str(folder / "nothing"))
    page.press("#data-import-path", "Enter")
    page.wait_for_function(
        "document.querySelector('#data-import .data-error').textContent.includes('there is nothing at')"
    )
    page.fill("#data-import-path", str(folder / "questions.csv"))
    page.press("#data-import-path", "Enter")
    page.wait_for_selector("#data-import-preview .data-row")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert axe(page) == []
