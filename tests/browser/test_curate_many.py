"""Work on many traces: filters and kept views in the address, one verdict on many and back, two attempts side by side,
a box under a finger; and axe-core on everything unfolded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.trace import Trace
from tests.browser.curating import eventually, opened, settled, time_passes
from tests.browser.traces import picture_trace


@pytest.fixture(scope="module")
def studio(running_studio):
    studio = running_studio()
    with studio.store() as store:
        media = studio.media()
        for seed in range(8):
            picture_trace(store, media, seed, size=(640, 480), score=float(seed % 2), is_nested=True)
        first = store.revisions.head(picture_trace(store, media, 9, size=(640, 480)).id).trace
        other: Trace = replace(first, steps=first.steps[-1:], views=first.views[:1], policy="other")
        store.traces.record(other, author="other", score=0.0)
    return studio.start()


@pytest.fixture(autouse=True)
def alone(studio):
    """Every test is another person's, who finds nothing reserved."""
    yield
    time_passes(studio)


def test_filters_stand_in_the_address_and_views_are_kept(new_page, studio):
    page = opened(new_page(), studio)
    page.click(".filters summary")
    page.select_option("[data-filter=outcome]", "wrong")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 5")
    page.wait_for_function("location.search.includes('outcome=wrong')")
    page.fill(".filters-name", "all wrong")
    page.click(".filters-keep button[type=submit]")
    page.wait_for_selector(".filters-view")
    page.click(".filters-chip")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 10")
    page.locator(".filters-view button").first.click()
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 5")
    page.select_option(".queue-order select", "suggested")
    page.wait_for_function("location.search.includes('order=suggested')")
    page.reload()
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 5")


def test_one_verdict_on_many_and_back(new_page, studio):
    page = opened(new_page(), studio, "?outcome=right")
    page.keyboard.press("v")
    page.keyboard.press("j")
    page.keyboard.press("v")
    assert page.locator(".bulk-count").inner_text() == "2 traces chosen"
    page.click(".bulk [data-act=accepted]")

    def accepted() -> int:
        with studio.store() as store:
            return store.traces.counts()["accepted"]

    eventually(accepted, 2)
    page.locator(".notice-button").click()
    eventually(accepted, 0)


def test_side_by_side_and_a_preference(new_page, studio):
    page = opened(new_page(), studio)
    page.keyboard.press("=")
    page.wait_for_selector("dialog.pair .pair-side:nth-child(2)")
    page.keyboard.press("2")

    def preferred() -> list[str]:
        with studio.store() as store:
            return [store.revisions.get(p.chosen_id).trace.policy for p in store.preferences.list()]

    eventually(preferred, ["tiny"])


def test_a_finger_moves_a_box_and_the_page_stays(new_page, studio):
    page = opened(new_page(width=390, height=844, has_touch=True, is_mobile=True), studio, "?outcome=right")
    body = page.locator("#curate-media g.box[data-step='0'] .box-body").bounding_box()
    # Neither on a handle nor on the box that lies within.
    x, y = body["x"] + body["width"] * 0.8, body["y"] + body["height"] * 0.25
    fingers = page.context.new_cdp_session(page)
    fingers.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for k in range(1, 7):
        fingers.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x + 8 * k, "y": y}]})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    settled(page)
    assert page.locator(".ghost").count() == 1
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_unfolded(new_page, studio, theme, axe):
    page = opened(new_page(color_scheme=theme), studio, f"?__theme={theme}&outcome=wrong")
    page.fill("#curate-thought textarea", "Another thought.")
    page.locator("#curate-thought textarea").blur()
    settled(page)
    for fold in (".filters", ".versions", ".sharing"):
        page.click(f"{fold} summary")
    page.wait_for_selector(".versions-event")
    page.wait_for_selector(".change")
    page.wait_for_timeout(300)
    assert axe(page) == []
    page.click(".versions-pick button")
    page.wait_for_selector("dialog.pair .pair-side")
    assert axe(page) == []
