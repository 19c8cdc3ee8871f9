"""Work on many traces: filters and kept views in the address, one verdict on many and back, two attempts side by side,
a check that asks the model, a box under a finger; and axe-core on everything unfolded."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.policies.scripted import ScriptedConversation
from engine.trace import Step, Trace
from tests.browser.curating import eventually, opened, settled, time_passes
from tests.browser.live import LiveStudio
from tests.browser.traces import picture_trace


@pytest.fixture(scope="module")
def live(tmp_path_factory, chromium):
    """Traces with a score, right and wrong, and two without one; the second of these has no answer."""
    live = LiveStudio(tmp_path_factory.mktemp("many"))
    store, media = live.studio.store, live.studio.media
    whole = picture_trace(store, media, 10, question="What does the sign say?", size=(640, 480), score=None)
    trace = store.revisions.head(whole.id).trace
    cut_off = replace(trace, question="Which sign?", steps=trace.steps[:1], stop_reason="max_tokens")
    store.traces.record(cut_off, author="tiny")
    for seed in range(8):
        picture_trace(store, media, seed, size=(640, 480), score=float(seed % 2), is_nested=True)
    first = store.revisions.head(picture_trace(store, media, 9, size=(640, 480)).id).trace
    other: Trace = replace(first, steps=first.steps[-1:], views=first.views[:1], policy="other")
    store.traces.record(other, author="other", score=0.0)
    yield live
    live.close()


@pytest.fixture(autouse=True)
def alone(live):
    """Every test is another person's, who finds nothing reserved."""
    yield
    time_passes(live.studio.store)


def test_filters_stand_in_the_address_and_views_are_kept(new_page, live):
    page = opened(new_page(), live)
    page.click(".filters summary")
    page.select_option("[data-filter=outcome]", "wrong")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 5")
    page.wait_for_function("location.search.includes('outcome=wrong')")
    page.fill(".filters-name", "all wrong")
    page.click(".filters-keep button[type=submit]")
    page.wait_for_selector(".filters-view")
    page.click(".filters-chip")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 12")
    page.locator(".filters-view button").first.click()
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 5")
    page.select_option(".queue-order select", "suggested")
    page.wait_for_function("location.search.includes('order=suggested')")
    page.reload()
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 5")


def test_one_verdict_on_many_and_back(new_page, live):
    page = opened(new_page(), live, "?outcome=right")
    page.keyboard.press("v")
    page.keyboard.press("j")
    page.keyboard.press("v")
    assert page.locator(".bulk-count").inner_text() == "2 traces chosen"
    page.click(".bulk [data-act=accepted]")

    def accepted() -> int:
        return live.studio.store.traces.counts()["accepted"]

    eventually(accepted, 2)
    page.locator(".notice-button").click()
    eventually(accepted, 0)


def test_what_cannot_be_approved_is_passed_over_and_named_with_the_reason(new_page, live):
    page = opened(new_page(), live, "?outcome=unscored")
    page.keyboard.press("v")
    page.click(".bulk [data-act=all]")
    page.click(".bulk [data-act=accepted]")
    page.wait_for_selector(".notice-list:visible")
    assert page.inner_text(".notice-text") == "1 trace approved. 1 trace passed over:"
    named = page.locator(".notice-named")
    assert named.all_inner_texts() == ["Which sign?: There is no answer at the end."]
    named.click()
    page.wait_for_selector("#curate-queue [aria-selected=true] .queue-question:text-is('Which sign?')")
    assert live.studio.store.traces.counts()["accepted"] == 1
    page.click(".notice-button")
    eventually(lambda: live.studio.store.traces.counts()["accepted"], 0)


def test_the_check_with_a_blank_crop_is_stopped_and_can_be_asked_again(new_page, live):
    gate = live.hold(Step("I think and think.", answer="never said"))
    page = opened(new_page(), live, "?outcome=right")
    page.locator(".card-head").first.click()
    page.click("[data-act=blank]:visible")
    stop = page.locator("[data-act=blank]:visible:has-text('Stop')")
    stop.click()
    page.wait_for_selector("[data-act=blank]:has-text('Would a blank crop change the answer?'):visible")
    assert page.locator(".badge:has-text('this crop')").count() == 0
    live.until(lambda: gate.stopped == 1)
    # The model says one turn with the crop and one without: had the first check gone on, it would take them.
    page.click("[data-act=blank]:visible")
    stop.wait_for()
    gate.release(2)
    page.wait_for_selector(".badge:has-text('answers without this crop')")
    assert page.locator("[data-act=blank]:visible").count() == 0


def test_what_a_look_was_worth_stands_on_its_card(new_page, live, monkeypatch):
    live.say(Step("I look.", answer="KX"))
    # It would rather say anything after it has seen a crop: one picture is shown at first, then two, then three.
    monkeypatch.setattr(ScriptedConversation, "weigh", weighed, raising=False)
    page = opened(new_page(), live, "?outcome=right")
    page.locator(".card-head").first.click()
    page.click(".card [data-act=weigh]:visible")
    page.wait_for_selector(".card:first-child .badge:text-is('this look: 12% → 93%')")
    assert page.locator(".card [data-act=weigh]:visible").count() == 0
    page.reload()
    page.wait_for_selector(".card:first-child .badge:text-is('this look: 12% → 93%')")


def weighed(self: ScriptedConversation, given: str, text: str) -> float:
    assert text not in given
    return math.log(0.12 if self.spoken == 0 else 0.93)


def test_side_by_side_and_a_preference(new_page, live):
    page = opened(new_page(), live)
    page.keyboard.press("=")
    page.wait_for_selector("dialog.pair .pair-side:nth-child(2)")
    page.keyboard.press("2")

    def preferred() -> list[str]:
        store = live.studio.store
        return [store.revisions.get(p.chosen_id).trace.policy for p in store.preferences.list()]

    eventually(preferred, ["tiny"])


def test_a_finger_moves_a_box_and_the_page_stays(new_page, live):
    page = opened(new_page(width=390, height=844, has_touch=True, is_mobile=True), live, "?outcome=right")
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
def test_axe_finds_nothing_unfolded(new_page, live, theme, axe):
    page = opened(new_page(color_scheme=theme), live, f"?__theme={theme}&outcome=wrong")
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
