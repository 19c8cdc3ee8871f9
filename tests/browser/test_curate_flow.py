"""An annotator's hands on the Curate screen: what is typed is never a verdict, looking changes nothing, nobody approves what they
do not see, a queue has an end, and a browser that is gone lets go."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from engine.store import Query
from engine.trace import Box, Observation, Step, View, ZoomIn
from tests.browser.curating import eventually, opened, settled, time_passes
from tests.browser.live import LiveStudio
from tests.browser.traces import BOX, clip_trace, picture_trace

FAR = Box(0.6, 0.6, 0.9, 0.9)


@pytest.fixture(scope="module")
def bench(tmp_path_factory, chromium):
    """A studio in this process, and the ids of its traces by name."""
    live = LiveStudio(tmp_path_factory.mktemp("flow"))
    store, media = live.studio.store, live.studio.media
    whole = picture_trace(store, media, 20, question="Somebody answered this", size=(640, 480))
    trace = store.revisions.head(whole.id).trace
    open_ended = replace(trace, question="Nobody answered this", steps=trace.steps[:1], stop_reason="max_tokens")
    lost = Step("I look into what was never shown.", ZoomIn(2, BOX), Observation(error="there is no view 2"))
    seen = Step("I look there.", ZoomIn(1, FAR), Observation(views=(2,)))
    views = (trace.views[0], View(2, trace.views[0].sha256, None, FAR))
    failed = replace(trace, question="One look failed", steps=(lost, seen, trace.steps[-1]), views=views)
    ids = {
        "open ended": store.traces.record(open_ended, author="tiny").id,
        "failed": store.traces.record(failed, author="tiny").id,
        "clip": clip_trace(store, media, 1, (4, 5)).id,
        "nested": picture_trace(store, media, 2, size=(640, 480), is_nested=True).id,
    }
    for seed in range(5, 8):
        picture_trace(store, media, seed, size=(640, 480), question=f"The pear question {seed}")
    for answer in ("A1", "B2"):
        picture_trace(store, media, 30, size=(640, 480), question="Tried twice?", answer=answer)
    yield live, ids
    live.close()


@pytest.fixture(autouse=True)
def alone(bench):
    yield
    time_passes(bench[0].studio.store)


def status(live: LiveStudio, trace_id: str) -> str:
    return live.studio.store.traces.get(trace_id).status


def accepted(live: LiveStudio) -> int:
    return live.studio.store.traces.counts()["accepted"]


def person(page) -> str:
    return page.inner_text(".navigation-user")


def draft(live: LiveStudio, trace_id: str, name: str):
    return live.studio.workbench.open(trace_id, name).draft.trace


def lit(page) -> list[str]:
    return [frame.get_attribute("data-frame") for frame in page.locator(".editor-strip .is-lit").all()]


def test_letters_typed_where_no_answer_is_are_the_answer(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['open ended']}")
    page.keyboard.press("w")
    page.keyboard.type("orange")
    settled(page)
    assert status(live, ids["open ended"]) == "new"
    assert draft(live, ids["open ended"], person(page)).answer == "orange"
    assert page.input_value("#curate-answer textarea") == "orange"
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    page.wait_for_function("document.querySelector('#curate-answer textarea').value === ''")


def test_letters_typed_before_the_trace_is_there_are_kept_for_the_answer(new_page, bench):
    live, ids = bench
    page = new_page()
    held = []
    page.route("**/curate/trace/*", lambda route: held.append(route), times=1)
    with page.expect_request("**/curate/trace/*"):
        page.goto(f"{live.url}/curate?trace={ids['nested']}&search=nothing+has+these+words")
    page.wait_for_selector(".inspector[data-state=waiting]")
    while not held:
        page.wait_for_timeout(20)
    page.keyboard.press("w")
    page.keyboard.type("sara")
    held[0].continue_()
    page.wait_for_selector("#curate-approve:enabled")
    # The field is there by now, and has the hand.
    page.wait_for_function("document.activeElement.closest('#curate-answer') !== null")
    assert page.input_value("#curate-answer textarea").endswith("sara")
    settled(page)
    assert status(live, ids["nested"]) == "new"
    assert live.studio.store.reviews.list(ids["nested"]) == []
    assert draft(live, ids["nested"], person(page)).answer.endswith("sara")
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    page.wait_for_function("!document.querySelector('#curate-answer textarea').value.endsWith('sara')")


def test_looking_at_a_frame_chooses_nothing_and_a_click_chooses(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['clip']}")
    assert lit(page) == ["4", "5"]
    page.hover(".filmstrip-frame[data-frame='10']")
    page.wait_for_function("document.querySelector('.editor-name').textContent.includes('frame 10 of')")
    page.mouse.move(5, 5)
    page.wait_for_function("document.querySelector('.editor-name').textContent.includes('frame 4 of')")
    page.focus(".filmstrip-frame[data-frame='4']")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("document.querySelector('.editor-name').textContent.includes('frame 8 of')")
    assert lit(page) == ["4", "5"]
    page.keyboard.press("Space")
    settled(page)
    assert lit(page) == ["4", "5", "8"]
    page.click(".filmstrip-frame[data-frame='10']")
    settled(page)
    assert lit(page) == ["4", "5", "8", "10"]
    assert page.inner_text(".editor-take") == "Leave out frame 10"
    page.click(".editor-take")
    settled(page)
    assert lit(page) == ["4", "5", "8"]


def test_a_finger_looks_first_and_a_clip_can_be_played(new_page, bench):
    live, ids = bench
    page = opened(new_page(width=390, height=844, has_touch=True, is_mobile=True), live, f"?trace={ids['clip']}")
    page.tap(".filmstrip-frame[data-frame='6']")
    page.wait_for_function("document.querySelector('.editor-name').textContent.includes('frame 6 of')")
    assert lit(page) == ["4", "5"]
    page.tap(".filmstrip-frame[data-frame='6']")
    settled(page)
    assert lit(page) == ["4", "5", "6"]
    # Not every browser has a player for it; the button says what came of it.
    page.tap(".editor-play")
    page.wait_for_function("document.querySelector('.editor-play').textContent !== 'Play the clip'")
    page.tap(".filmstrip-frame[data-frame='7']")
    page.wait_for_function("document.querySelector('.editor-play').textContent === 'Play the clip'")


def test_insert_on_a_zoom_inserts_a_look(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    name = person(page)
    before = draft(live, ids["nested"], name)
    page.keyboard.press("1")
    page.keyboard.press("i")
    settled(page)
    after = draft(live, ids["nested"], name)
    assert after.steps[0] == before.steps[0] and len(after.steps) == len(before.steps) + 1
    assert isinstance(after.steps[1].operation, ZoomIn)
    assert page.locator(".card.is-chosen .card-number").inner_text() == "2"


def test_the_box_of_a_step_that_looked_into_nothing_is_not_drawn(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['failed']}")
    page.wait_for_selector("#curate-media g.box[data-step='1']")
    assert page.locator("#curate-media g.box[data-step='0']").count() == 0


def test_undo_of_a_verdict_goes_back_to_its_trace(new_page, bench):
    live, _ = bench
    before, page = accepted(live), opened(new_page(), live, "?search=pear&status=new")
    question = page.inner_text(".editor-question")
    page.keyboard.press("a")
    page.wait_for_function("q => document.querySelector('.editor-question').textContent !== q", arg=question)
    page.keyboard.press("u")
    page.wait_for_function("q => document.querySelector('.editor-question').textContent === q", arg=question)
    eventually(lambda: accepted(live), before)


def test_what_is_not_found_cannot_be_approved(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    page.fill("#curate-search input", "nothing has these words")
    page.wait_for_selector(".editor-nomatch:visible")
    assert page.locator(".editor-question:visible").count() == 0
    assert page.locator("#curate-approve").is_disabled()
    # What is found takes the place of what was there.
    page.fill("#curate-search input", "pear")
    page.wait_for_function("document.querySelector('.editor-question').textContent.includes('pear')")
    eventually(lambda: live.studio.store.reservations.of(ids["nested"]), None)


def test_the_end_of_the_queue_says_so_and_offers_what_is_next(new_page, bench):
    live, _ = bench
    last = live.studio.store.queue.page(Query(search="pear 7")).items[0].item.id
    page = opened(new_page(), live, "?search=pear&order=oldest")
    for key, place in (("a", "1 of 3"), ("s", "2 of 3"), ("a", "3 of 3")):
        page.wait_for_function("t => document.querySelector('.editor-place').textContent === t", arg=place)
        page.wait_for_selector("#curate-approve:enabled")
        page.keyboard.press(key)
    page.wait_for_selector(".editor-end:visible")
    settled(page)
    assert page.inner_text(".editor-end h1") == "That was the last of them"
    assert page.locator("#curate-approve").is_disabled()
    offers = page.locator(".editor-offer").all_inner_texts()
    assert offers[0] == "Go through the 1 that is left" and f"Train on the {accepted(live)} approved" in offers
    page.click(".editor-offer >> nth=0")
    page.wait_for_function("document.querySelector('.editor-question').textContent === 'The pear question 6'")
    page.keyboard.press("u")
    page.wait_for_function("document.querySelector('.editor-question').textContent === 'The pear question 7'")
    eventually(lambda: status(live, last), "new")


def test_a_browser_that_is_gone_lets_go_at_once(chromium, bench):
    live, ids = bench
    own = chromium.browser_type.launch(executable_path=chromium_path(), args=["--no-sandbox", "--disable-gpu"])
    page = opened(own.new_page(), live, f"?trace={ids['nested']}")
    reservation = live.studio.store.reservations
    eventually(lambda: reservation.of(ids["nested"]) is not None, True)
    processes = own.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    os.kill(next(one["id"] for one in processes if one["type"] == "browser"), signal.SIGKILL)
    eventually(lambda: reservation.of(ids["nested"]), None, within_s=5)
    assert reservation.of(ids["nested"]) is None
    del page


def test_on_a_phone_the_next_trace_opens_at_its_picture(new_page, bench):
    live, _ = bench
    before = accepted(live)
    page = opened(new_page(width=390, height=844, has_touch=True, is_mobile=True), live, "?search=pear")
    page.evaluate("scrollTo(0, 700)")
    question = page.inner_text(".editor-question")
    page.tap("#curate-approve")
    page.wait_for_function("q => document.querySelector('.editor-question').textContent !== q", arg=question)
    page.wait_for_function("scrollY === 0")
    box = page.locator(".editor-svg").bounding_box()
    assert box["y"] < 300 and box["y"] + box["height"] < 844
    small = page.evaluate(SMALL)
    assert small == []
    page.tap(".notice-button")
    eventually(lambda: accepted(live), before)


SMALL = """[...document.querySelectorAll('.workbench button, .workbench summary, .workbench select')]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.getBoundingClientRect().height < 44 &&
    !one.closest('.filmstrip'))
  .map((one) => `${one.className || one.id}: ${one.textContent.slice(0, 20)} ${one.getBoundingClientRect().height}`)"""


@pytest.mark.parametrize("width", [901, 1024, 1250])
def test_between_a_phone_and_a_desk_the_picture_has_most_of_the_window(new_page, bench, width):
    live, ids = bench
    page = opened(new_page(width=width, height=900), live, f"?trace={ids['clip']}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".editor-work").bounding_box()["width"] > 0.56 * width
    frame = page.locator(".filmstrip-frame").first.bounding_box()
    assert frame["width"] >= 56 and frame["height"] >= 36
    page.keyboard.press("q")
    page.click("#curate-queue [role=option] >> nth=0")
    page.wait_for_selector(".workbench:not(.is-queue-open)")


def chromium_path() -> str | None:
    import shutil

    return os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


def test_only_the_look_that_is_asked_about_says_stop(new_page, bench):
    live, ids = bench
    gate = live.hold(Step("I think.", answer="never said"))
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    page.click(".card:nth-child(1) [data-act=blank]:visible")
    page.wait_for_selector(".card:nth-child(1) [data-act=blank]:has-text('Stop')")
    page.keyboard.press("2")
    other = page.locator(".card:nth-child(2) [data-act=blank]")
    assert other.is_disabled() and "Stop" not in other.inner_text()
    page.keyboard.press("1")
    page.click(".card:nth-child(1) [data-act=blank]:visible")
    live.until(lambda: gate.stopped == 1)


def test_zoom_pan_and_loupe_leave_boxes_where_they_are(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    stage = page.locator(".editor-svg")

    def seen() -> list[float]:
        return [float(edge) for edge in stage.get_attribute("viewBox").split()]

    whole, box = seen(), stage.bounding_box()
    at = (box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.move(*at)
    page.mouse.wheel(0, -500)
    page.wait_for_selector(".editor-frame.is-near")
    x, y, width, height = seen()
    # The picture's point under the mouse has stayed there.
    assert (x + 0.4 * width, y + 0.5 * height) == pytest.approx((0.4 * 640, 0.5 * 480), abs=2)
    page.keyboard.down("Space")
    page.mouse.down()
    page.mouse.move(at[0] + 60, at[1] + 30, steps=3)
    page.mouse.up()
    page.keyboard.up("Space")
    assert seen()[0] < x and seen()[1] < y and page.locator(".ghost").count() == 0
    # A drag moves the box by the picture's own pixels, however near it is.
    page.keyboard.press("t")
    body = page.locator("#curate-media g.box[data-step='0'] .box-body").bounding_box()
    page.mouse.move(body["x"] + 0.1 * body["width"], body["y"] + 0.1 * body["height"])
    page.mouse.down()
    page.mouse.move(body["x"] + 0.35 * body["width"], body["y"] + 0.1 * body["height"], steps=4)
    page.mouse.up()
    settled(page)
    moved = draft(live, ids["nested"], person(page)).steps[0].operation.box
    assert moved.x1 == pytest.approx(BOX.x1 + 0.25 * (BOX.x2 - BOX.x1), abs=0.003)
    page.keyboard.press("0")
    assert seen() == whole
    page.keyboard.press("g")
    page.mouse.move(*at)
    page.wait_for_selector(".loupe:visible")


def test_columns_are_dragged_and_remembered_and_one_thing_is_looked_at(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    sash = page.locator(".workbench-sash.is-right").bounding_box()
    page.mouse.move(sash["x"] + 4, 400)
    page.mouse.down()
    page.mouse.move(sash["x"] - 76, 400, steps=4)
    page.mouse.up()
    assert page.locator(".workbench-right").bounding_box()["width"] == pytest.approx(472, abs=2)
    page.focus(".workbench-sash.is-left")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("o")
    assert page.locator(".workbench-left").is_hidden() and page.locator(".card").first.is_hidden()
    page.reload()
    page.wait_for_selector(".workbench.is-focused")
    page.wait_for_selector("#curate-approve:enabled")
    assert page.locator(".workbench-button:visible").count() == 2
    page.click(".inspector-focus")
    assert page.locator(".workbench-left").bounding_box()["width"] == 324
    assert page.locator(".workbench-right").bounding_box()["width"] == pytest.approx(472, abs=2)


def test_the_palette_finds_actions_lists_and_traces(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    page.keyboard.press("Control+k")
    page.keyboard.type("nobody ans")
    page.wait_for_selector(".palette-row:has-text('Nobody answered this')")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.editor-question').textContent === 'Nobody answered this'")
    page.keyboard.press("w")
    page.keyboard.type("a pear")
    page.wait_for_function("document.querySelector('#curate-answer textarea').value === 'a pear'")
    page.keyboard.press("Escape")
    # Asked for before the draft can be told.
    page.keyboard.press("Control+k")
    page.keyboard.type("my drafts")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length === 1")
    page.keyboard.press("Control+k")
    page.keyboard.type("focus picture crop")
    page.keyboard.press("Escape")
    page.wait_for_selector(".palette", state="hidden")
    page.keyboard.press("Control+k")
    page.keyboard.type("undo")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('#curate-answer textarea').value === ''")


def test_pairs_that_differ_come_one_after_the_other_blind_with_question_and_picture(new_page, bench, axe):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    page.keyboard.press("d")
    page.wait_for_selector("dialog.pair .pair-side:nth-child(2)")
    shown = page.inner_text("dialog.pair")
    assert "Tried twice?" in shown and "A1" in shown and "B2" in shown and "tiny" not in shown
    picture, bar = (page.locator(f"dialog.pair {part}").bounding_box() for part in (".pair-picture", ".pair-acts"))
    assert picture["height"] > 200 and bar["y"] + bar["height"] <= 900
    page.wait_for_timeout(200)
    assert axe(page) == []
    first = page.locator(".pair-answer").first.inner_text()
    page.keyboard.press("1")
    page.wait_for_function("document.querySelector('.notice')?.textContent.includes('last pair: 1 compared')")
    store = live.studio.store
    assert [store.revisions.get(one.chosen_id).trace.answer for one in store.preferences.list()] == [first]


def test_many_are_tagged_and_exported_from_the_list(new_page, bench):
    live, _ = bench
    page = opened(new_page(), live, "?search=pear")
    page.keyboard.press("v")
    page.click(".bulk [data-act=all]")
    page.fill(".bulk-form input", "fruit")
    page.click(".bulk-form button")
    eventually(lambda: len(live.studio.store.tags.all()), 1)
    page.wait_for_function("document.querySelector('.notice')?.textContent.includes('3 traces tagged')")
    page.select_option(".bulk-form select >> nth=0", "export")
    page.select_option(".bulk-value", "trace-json")
    page.click(".bulk-form button")
    page.wait_for_function("document.querySelector('.notice').textContent.includes('on the way out')")
    [job] = live.studio.store.jobs.list(kinds=["export"])
    assert len(job.config["chosen"]) == 3


def test_a_step_is_looked_at_before_it_is_still_right(new_page, bench):
    live, ids = bench
    page = opened(new_page(), live, f"?trace={ids['nested']}")
    for key in ("b", "ArrowRight"):
        page.keyboard.press(key)
    page.wait_for_selector(".card.is-stale")
    settled(page)
    stale = page.locator(".card.is-stale").count()
    page.keyboard.press("y")
    assert page.locator(".card.is-stale").count() == stale
    assert page.locator(".card.is-stale.is-chosen").count() == 1
    for _ in range(stale):
        page.keyboard.press("y")
    settled(page)
    assert page.locator(".card.is-stale").count() == 0
    assert live.studio.workbench.open(ids["nested"], person(page)).draft.stale == (None,) * 3
