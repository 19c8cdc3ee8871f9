"""A trace is deleted in Curate and comes back by Undo; in Data what is deleted by picture and by person lies in the bin, comes
back, and is gone once the bin is emptied."""

from __future__ import annotations

import pytest

from engine.store import Query
from tests.browser.curating import eventually, opened, time_passes
from tests.browser.live import LiveStudio
from tests.browser.traces import picture_trace


@pytest.fixture(scope="module")
def live(tmp_path_factory, chromium):
    live = LiveStudio(tmp_path_factory.mktemp("deleting"))
    for seed in range(3):
        picture_trace(live.studio.store, live.studio.media, seed, size=(320, 240))
    yield live
    live.close()


def test_a_trace_is_deleted_with_a_plan_and_comes_back(new_page, live):
    store = live.studio.store
    page = opened(new_page(), live)
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 3")
    [at] = [one.item for one in store.queue.page(limit=1).items]
    sha256 = at.media_sha256
    page.click(".inspector-delete")
    page.wait_for_selector("dialog.confirming[open]")
    assert "This takes 1 trace, 1 revision" in page.inner_text(".confirming-plan")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog.confirming", state="hidden")
    assert len(store.queue.page().items) == 3
    page.click(".inspector-delete")
    page.click(".confirming-go")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 2")
    assert page.request.get(f"{live.url}/media/{sha256}/thumbnail").status == 404
    refused = page.request.get(f"{live.url}/media/{sha256}")
    assert refused.status == 404 and "is in the bin" in refused.json()["error"]
    beside = new_page()
    beside.goto(f"{live.url}/curate?trace={at.id}")
    beside.get_by_text("is in the bin").first.wait_for()
    page.click(".notice-button")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 3")
    assert page.request.get(f"{live.url}/media/{sha256}").status == 200
    assert store.traces.get(at.id).item == at and store.bin.list() == []
    # The picture with all that is about it: a second trace goes along.
    beside_it = store.traces.record(store.revisions.head(at.id).trace, author="other")
    page.click(".inspector-delete-picture")
    page.wait_for_selector("dialog.confirming[open]")
    assert "This takes 2 traces, 2 revisions" in page.inner_text(".confirming-plan")
    page.click(".confirming-go")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 2")
    assert {one.item.id for one in store.queue.page().items}.isdisjoint({at.id, beside_it.id})
    page.click(".notice-button")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 4")
    assert store.traces.get(at.id).item.created_at == at.created_at
    time_passes(store)


def test_the_bin_is_listed_restored_and_emptied(new_page, live):
    store, media = live.studio.store, live.studio.media
    chosen, other = (one.item for one in store.queue.page(Query(order="oldest"), limit=2).items)
    page = new_page()
    page.goto(f"{live.url}/data")
    page.get_by_text("The bin is empty.").wait_for()
    assert page.is_disabled(".bin-empty")
    page.fill(".bin [data-kind=picture] input", chosen.media_sha256)
    page.click(".bin-form button")
    page.click(".confirming-go")
    page.wait_for_selector(".bin-row")
    assert f"#{chosen.number} {chosen.question}" in page.inner_text(".bin-row")
    page.click(".bin-restore")
    page.wait_for_selector(".bin-row", state="detached")
    assert store.traces.get(chosen.id).item == chosen
    page.select_option(".bin select", "person")
    page.fill(".bin [data-kind=person] input", "nobody at all")
    page.click(".bin-form button")
    page.click(".confirming-go")
    page.wait_for_selector(".bin-status[data-tone=bad]")
    page.select_option(".bin select", "picture")
    page.fill(".bin [data-kind=picture] input", chosen.media_sha256)
    page.click(".bin-form button")
    page.click(".confirming-go")
    page.wait_for_selector(".bin-row")
    page.click(".bin-empty")
    page.click(".confirming-go")
    page.get_by_text("Gone for good: 1 trace").wait_for()
    eventually(lambda: media.has(chosen.media_sha256), False)
    assert media.has(other.media_sha256) and store.emptying.erasures() == []
    assert store.verify(media).problems == ()
