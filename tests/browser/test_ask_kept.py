"""What was asked is kept: addresses, reloads, the way back, and nothing of one attempt in the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.trace import Box, Step, ZoomIn
from tests.browser.asking import LOOK_AT_FRAMES, LOOK_TWICE, ask, finish, newest, pick
from tests.browser.live import LiveStudio


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[LiveStudio]:
    studio = LiveStudio(tmp_path_factory.mktemp("kept"))
    yield studio
    studio.close()


@pytest.fixture
def page(live: LiveStudio, new_page: Callable[..., Any]) -> Any:
    page = new_page()
    page.goto(live.url)
    page.wait_for_selector("#ask-samples li")
    return page


def trace_in(page: Any) -> str | None:
    return page.evaluate("new URL(location.href).searchParams.get('trace')")


def test_an_attempt_has_its_address_at_once_and_a_reload_goes_on_with_it(live: LiveStudio, page: Any) -> None:
    gate = live.hold(*LOOK_TWICE)
    pick(page, 1)
    ask(page)
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('A red sign')")
    trace_id = trace_in(page)
    assert trace_id, "before anything is answered"
    gate.release()
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('Closer still')")
    page.reload()
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('Closer still')")
    assert page.input_value("#ask-question textarea") == "What is written on the red sign?"
    gate.release(2)
    finish(page)
    assert page.inner_text("#ask-answer .answer-text") == "KX7421"
    assert newest(live).trace_id == trace_id == trace_in(page)
    assert page.title() == "What is written on the red sign? · Pixel Reasoner Studio"


def test_back_and_forward_show_what_stood_there(live: LiveStudio, page: Any) -> None:
    live.say(*LOOK_TWICE)
    pick(page, 1)
    ask(page)
    finish(page)
    first = trace_in(page)
    live.say(Step("Again.", answer="SECOND"))
    page.fill("#ask-question textarea", "And now?")
    ask(page)
    finish(page)
    assert trace_in(page) not in (None, first)
    page.go_back()
    page.wait_for_selector(".answer-text:has-text('KX7421')")
    assert trace_in(page) == first
    assert page.input_value("#ask-question textarea") == "What is written on the red sign?"
    page.go_back()
    page.wait_for_selector("#ask-answer [data-state=empty]", state="attached")
    assert page.is_visible(".source-svg"), "the picture was there before the question"
    page.go_forward()
    page.wait_for_selector(".answer-text:has-text('KX7421')")
    page.go_forward()
    page.wait_for_selector(".answer-text:has-text('SECOND')")


def test_forward_twice_in_a_hurry_ends_where_it_leads(
    live: LiveStudio, page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two places is looked up more slowly."""
    import ui.ask

    kept, slow = ui.ask.kept, [""]

    def slowly(media: Any, record: Any, trace: Any) -> Any:
        time.sleep(1.0 if trace.answer == slow[0] else 0.0)
        return kept(media, record, trace)

    monkeypatch.setattr(ui.ask, "kept", slowly)
    pick(page, 1)
    places = []
    for answer in ("ONE", "TWO", "THREE"):
        live.say(Step("So.", answer=answer))
        page.fill("#ask-question textarea", f"Which is {answer}?")
        ask(page)
        finish(page)
        places.append(trace_in(page))
    length = page.evaluate("history.length")
    for late in ("TWO", "THREE"):
        slow[0] = ""
        for answer in ("TWO", "ONE"):
            page.go_back()
            page.wait_for_selector(f".answer-text:has-text('{answer}')")
        slow[0] = late
        for place in places[1:]:
            page.evaluate("history.forward()")
            page.wait_for_function("id => location.search.endsWith(id)", arg=place)
        page.wait_for_selector(".answer-text:text-is('THREE')")
        page.wait_for_timeout(1300)
        assert page.inner_text(".answer-text") == "THREE", late
        assert (trace_in(page), page.evaluate("history.length")) == (places[2], length), late
        assert page.title().startswith("Which is THREE?")


def test_nothing_of_an_attempt_stands_in_the_next_one(live: LiveStudio, page: Any) -> None:
    live.say(*LOOK_AT_FRAMES)
    pick(page, 2)
    page.wait_for_selector(".filmstrip-frame")
    ask(page)
    finish(page)
    page.wait_for_selector(".filmstrip [aria-pressed=true][data-frame='6']")
    assert page.get_attribute("#ask-samples li:nth-child(2) button", "aria-pressed") == "true"

    live.say(Step("I need no look.", answer="none"))
    page.fill("#ask-question textarea", "And without looking?")
    ask(page)
    finish(page)
    page.wait_for_selector(".filmstrip [aria-pressed=true][data-frame='1']")
    assert page.locator(".filmstrip-frame.is-lit").count() == 0

    pick(page, 1)
    page.wait_for_selector("#ask-answer [data-state=empty]", state="attached")
    assert trace_in(page) is None
    assert page.title() == "Ask · Pixel Reasoner Studio"
    pressed = page.locator("#ask-samples [aria-pressed=true]")
    assert pressed.count() == 1
    own = live.studio.settings.home / "own.png"
    from PIL import Image

    Image.new("RGB", (64, 48), "teal").save(own)
    page.set_input_files("#ask-media input[type=file]", own)
    page.wait_for_selector(".source-size:has-text('64 × 48')")
    assert pressed.count() == 0, "no sample stands on the stage"


def test_a_picture_that_comes_while_another_is_looked_at_is_not_lost(
    live: LiveStudio, page: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    import ui.ask

    is_first, look = threading.Event(), ui.ask.media_values

    def slow_at_first(*args: Any) -> Any:
        if not is_first.is_set():
            is_first.set()
            time.sleep(1)
        return look(*args)

    monkeypatch.setattr(ui.ask, "media_values", slow_at_first)
    for side in (48, 64):
        Image.new("RGB", (side, 40), "teal").save(tmp_path / f"{side}.png")
        page.set_input_files("#ask-media input[type=file]", tmp_path / f"{side}.png")
        live.until(is_first.is_set)
    page.wait_for_selector(".source-size:has-text('64 × 40')")


def test_what_goes_on_elsewhere_does_not_come_back_into_the_page(live: LiveStudio, page: Any) -> None:
    gate = live.hold(*LOOK_TWICE)
    pick(page, 1)
    ask(page)
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('A red sign')")
    trace_id = trace_in(page)
    page.click("#ask-samples li:nth-child(2) button")
    page.wait_for_selector(".filmstrip-frame")
    gate.release(3)
    live.until(lambda: (attempt := live.answering.find(trace_id)) is not None and attempt.progress.trace_id)
    page.wait_for_selector("#ask-run:not([disabled])")
    assert page.locator("#ask-steps .card").count() == 0
    page.click(".questions summary")
    page.wait_for_selector(f".questions a[href='?trace={trace_id}']:has-text('KX7421')")
    page.click(f".questions a[href='?trace={trace_id}']")
    page.wait_for_selector(".answer-text:has-text('KX7421')")


def test_a_stream_that_broke_without_a_word_is_picked_up(live: LiveStudio, page: Any) -> None:
    gate = live.hold(*LOOK_TWICE)
    pick(page, 1)
    ask(page)
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('A red sign')")
    trace_id = trace_in(page)
    # The stream ends as where a proxy drops it: nothing comes any more, and nobody says so.
    live.answering.turn(next(key for key, seen in live.answering._seen_by.items() if seen == trace_id), None)
    page.wait_for_timeout(700)
    gate.release(3)
    finish(page)
    assert page.inner_text("#ask-answer .answer-text") == "KX7421"


def test_a_crop_that_a_dropped_line_broke_is_drawn_when_it_is_back(live: LiveStudio, page: Any) -> None:
    # A box of its own: a browser that has seen the crop does not ask for it.
    gate = live.hold(Step("There it is.", ZoomIn(1, Box(0.31, 0.33, 0.57, 0.61))), Step("I see.", answer="KX7421"))
    pick(page, 1)
    ask(page)
    # The words go on through the stream that is open; what is asked for anew fails.
    page.context.set_offline(True)
    gate.release(2)
    finish(page)
    broken = "[...document.querySelectorAll('.column-middle .crops img')].filter((one) => !one.naturalWidth).length"
    page.wait_for_function(f"{broken} > 0")
    page.context.set_offline(False)
    page.wait_for_function(f"{broken} === 0")


def test_on_a_phone_the_answer_stays_in_sight_while_crops_come_above_it(
    live: LiveStudio, new_page: Callable[..., Any]
) -> None:
    live.say(*LOOK_TWICE)
    page = new_page(390, 844)
    page.goto(live.url)
    page.wait_for_selector("#ask-samples li")
    pick(page, 1)
    ask(page)
    finish(page)
    page.wait_for_function(
        "document.querySelector('#ask-answer .answer-text').getBoundingClientRect().bottom <= innerHeight"
    )


def test_a_long_question_is_folded_and_never_cut(live: LiveStudio, page: Any) -> None:
    live.say(Step("Long.", answer="short"))
    pick(page, 1)
    page.fill("#ask-question textarea", "word " * 399 + "last?")
    ask(page)
    finish(page)
    top = page.locator("#ask-answer .answer-text").bounding_box()
    assert top and top["y"] < 500, "the answer is in sight"
    page.click(".answer-more")
    assert page.inner_text(".answer-question").endswith("last?")
    assert page.get_attribute(".answer-more", "aria-expanded") == "true"
    page.fill("#ask-question textarea", "x" * 2001)
    page.click("#ask-run")
    page.wait_for_selector(".answer-problem:has-text('2001 characters; at most 2000')")


def test_the_palette_finds_samples_rooms_and_what_was_asked(live: LiveStudio, page: Any) -> None:
    live.say(Step("So.", answer="AVOCADO"))
    pick(page, 1)
    page.fill("#ask-question textarea", "What did I ask before?")
    ask(page)
    finish(page)
    trace_id = trace_in(page)

    def press(typed: str, row: str) -> None:
        page.keyboard.press("Control+k")
        page.keyboard.type(typed)
        page.wait_for_selector(f".palette-row[aria-selected=true]:has-text('{row}')")
        page.keyboard.press("Enter")

    press("a clip", "A clip: What shows")
    page.wait_for_selector(".filmstrip-frame")
    press("avocado", "What did I ask before?")
    page.wait_for_selector(".answer-text:has-text('AVOCADO')")
    assert trace_in(page) == trace_id
    press("data", "Go to Data")
    page.wait_for_url("**/data")
    page.wait_for_selector("#first", state="detached")
    press("avocado", "What did I ask before?")
    page.wait_for_selector(".answer-text:has-text('AVOCADO')")
    page.click(".navigation-find")
    page.wait_for_selector(".palette-row:has-text('Go to Curate')")


def test_options_are_chosen_among(live: LiveStudio, page: Any) -> None:
    live.say(Step("The second.", answer="B"))
    pick(page, 1)
    page.fill("#ask-question textarea", "Which colour?")
    page.click(".ask-advanced .label-wrap")
    page.fill("#ask-options textarea", "A) blue\nB) red")
    ask(page)
    finish(page)
    assert page.inner_text(".answer-text") == "B: red"
    record = live.studio.store.traces.get(newest(live).trace_id)
    assert record.example.options == ("blue", "red")


def test_an_answer_can_be_taken_away_looked_into_and_judged(live: LiveStudio, page: Any) -> None:
    import io
    import zipfile

    from PIL import Image

    live.say(*LOOK_TWICE)
    pick(page, 1)
    ask(page)
    finish(page)
    trace_id = trace_in(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(".answer-copy")
    page.wait_for_selector(".answer-said:has-text('copied')")
    assert page.evaluate("navigator.clipboard.readText()") == "KX7421"
    page.click(".answer-link-copy")
    page.wait_for_selector(".answer-said:has-text('The link is copied')")
    assert page.evaluate("navigator.clipboard.readText()") == f"{live.url}/?trace={trace_id}"

    page.click(".answer-download summary")
    fetched = {}
    for name in ("trace.json", "crops.zip", "boxes.png"):
        with page.expect_download() as waiting:
            page.click(f".answer-download a[download='{name}']")
        fetched[name] = waiting.value.path().read_bytes()
    assert b'"answer": "KX7421"' in fetched["trace.json"]
    archive = zipfile.ZipFile(io.BytesIO(fetched["crops.zip"]))
    assert archive.namelist() == ["view-2.png", "view-3.png"]
    boxed = Image.open(io.BytesIO(fetched["boxes.png"]))
    assert boxed.size == (1024, 768)
    assert boxed.getpixel((round(0.4 * 1024), round(0.5 * 768))) == (0x38, 0xBD, 0xF8), (
        "the first step's box, in its colour"
    )

    page.click(".answer-tell")
    page.wait_for_selector(".answer-told[open] .answer-turn pre:has-text('What is written on the red sign?')")
    assert page.locator(".answer-turn pre:has-text('zoom_in')").count() >= 2, "the calls as they were written"
    seen = page.locator(".answer-seen img").first
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=seen.element_handle())
    page.keyboard.press("Escape")

    page.click(".answer-down")
    page.fill(".answer-right", "KX7422")
    page.keyboard.press("Enter")
    page.wait_for_selector(".answer-said:has-text('Thank you')")
    (review,) = live.studio.store.reviews.list(trace_id)
    assert (review.verdict, review.reason) == ("flagged", "Whoever asked says: wrong. The right answer: KX7422")
    assert live.studio.store.revisions.head(trace_id).trace.answer == "KX7421", "what the model said stays"


def test_the_keyboard_skips_the_bar_and_stays_on_the_page(live: LiveStudio, page: Any) -> None:
    page.goto(f"{live.url}/evaluate")
    page.wait_for_selector("#first", state="detached")
    assert page.title() == "Evaluate · Pixel Reasoner Studio"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    assert page.url == f"{live.url}/evaluate"


def test_a_middling_window_gives_the_picture_its_room(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    for width in (901, 1024, 1250):
        page = new_page(width, 768)
        page.goto(live.url)
        page.wait_for_selector("#ask-samples li")
        pick(page, 1)
        picture = page.locator(".source-svg").bounding_box()
        assert picture and picture["width"] > 0.49 * width
        samples = page.locator(".samples-picture img").first.bounding_box()
        assert samples and samples["width"] >= 60
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_on_a_phone_a_thumb_meets_every_control(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    page = new_page(390, 844)
    for room in ("", "train", "evaluate", "data", "people"):
        page.goto(f"{live.url}/{room}")
        page.wait_for_selector("#first", state="detached")
        page.wait_for_selector("#ask-samples li" if not room else "h1")
        small = page.evaluate(
            """() => [...document.querySelectorAll('button:not(.term), select, summary, .navigation a, .people-button')]
              .map((one) => [one, one.getBoundingClientRect()])
              .filter(([, { width, height }]) => width && height && height < 44)
              .map(([one, { height }]) => `${height} ${one.outerHTML.slice(0, 80)}`)"""
        )
        assert small == [], room
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), room


def test_what_is_sent_is_known_and_named_ahead(live: LiveStudio, new_page: Callable[..., Any]) -> None:
    from tests.ahead import assets_of
    from ui.sending.ahead import ahead_of_pages
    from ui.shell import SCREENS

    page = new_page()
    assert ahead_of_pages().keys() == {f"/{screen.path}" for screen in SCREENS}, "python -m tests.ahead"
    ahead = ahead_of_pages()["/"]
    late = [name for name in assets_of(page, live.url) if name not in ahead]
    assert late == [], "python -m tests.ahead"
    codes = page.evaluate(
        "performance.getEntriesByType('resource').filter((one) => one.name.includes('/code/')).length"
    )
    assert codes == 1, "the screen's own modules come in one"


def test_what_an_answer_is_worth_is_said(live: LiveStudio, page: Any) -> None:
    from dataclasses import replace

    # The script speaks as the embedded model, with a confidence far below what that reaches in its own world.
    live.say(Step("I see letters.", answer="LM"))
    pick(page, 1)
    ask(page)
    finish(page)
    assert not page.is_visible(".answer-sure"), "a policy that tells no confidence is not doubted"
    trace_id = trace_in(page)
    head = live.studio.store.revisions.head(trace_id)
    trace = replace(head.trace, policy="tiny", question="Describe this picture.")
    for confidence, level, words in ((0.61, "unsure", "Not sure (0.61"), (0.99, "sure", "Sure, as far as")):
        record = live.studio.store.traces.record(trace, author="guest", confidence=confidence)
        page.goto(f"{live.url}/?trace={record.id}")
        page.wait_for_selector(f"#ask-answer [data-sure={level}] .answer-sure-line:has-text('{words}')")
        assert "drawn world" in page.inner_text(".answer-sure-knows")
        page.click(".answer-sure-way summary")
        assert "STUDIO_MODEL" in page.inner_text(".answer-sure-way")
