"""The Ask screen in a real browser: what a visitor sees, and what the store says afterwards."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from engine.policies.scripted import ScriptedPolicy
from engine.settings import Settings
from engine.starting import Starting
from engine.trace import Box, SelectFrames, Step, ZoomIn
from tests.browser.asking import LOOK_AT_FRAMES, LOOK_TWICE, NEVER_DONE, ask, finish, newest, pick
from tests.browser.live import LiveStudio
from tests.policies.stand_in import MODEL, StandIn, serve
from ui.studio import Reasoner


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[LiveStudio]:
    studio = LiveStudio(tmp_path_factory.mktemp("ask"))
    yield studio
    studio.close()


@pytest.fixture
def open_page(live: LiveStudio, new_page: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """open_page(path="/", width=, height=, scheme=): a page of a person of their own. It asks no other server for anything."""
    foreign: list[str] = []
    opened: list[Any] = []

    def note(request: Any) -> None:
        foreign.append(request.url)

    def open_one(path: str = "/", width: int = 1440, height: int = 900, scheme: str = "light") -> Any:
        is_phone = width < 600
        page = new_page(width, height, color_scheme=scheme, has_touch=is_phone, is_mobile=is_phone)
        page.on("request", note)
        opened.append(page)
        page.goto(live.url + path)
        page.wait_for_selector("#ask-samples li")
        return page

    yield open_one
    for page in opened:
        page.remove_listener("request", note)
    assert [url for url in foreign if not url.startswith((live.url, "data:", "blob:"))] == []


@pytest.fixture
def page(open_page: Callable[..., Any]) -> Any:
    return open_page()


def test_ask_waits_until_the_sample_that_was_picked_stands_there(live: LiveStudio, page: Any) -> None:
    live.say(Step("I see it.", answer="EXIT 14"))
    pick(page, 1)
    held: list[Any] = []
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.route("**/queue/join*", lambda route: held.append(route), times=1)
    with page.expect_request("**/queue/join*"):
        page.click("#ask-samples li:nth-child(2) button")
    page.evaluate("document.querySelector('#ask-run').click()")
    page.press("#ask-question textarea", "Enter")
    page.wait_for_selector("#ask-run[disabled]")
    held[0].continue_()
    page.wait_for_selector("#ask-run:not([disabled])")
    assert len([url for url in sent if "queue/join" in url]) == 1, "the question before was asked"
    ask(page)
    finish(page)
    assert newest(live).trace.question == "What shows for a moment only?"


def test_a_sample_is_answered_step_by_step_and_the_trace_is_recorded(live: LiveStudio, page: Any) -> None:
    gate = live.hold(*LOOK_TWICE)
    before = live.studio.store.queue.page().total
    pick(page, 1)
    assert page.input_value("#ask-question textarea") == "What is written on the red sign?"
    ask(page)
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('A red sign')")
    assert page.locator(".source-mark").count() == 0
    gate.release()
    page.wait_for_selector(".source-mark[data-step='0']", state="attached")
    page.wait_for_selector(".crops-crop[data-step='0']")
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('Closer still')")
    assert live.studio.store.queue.page().total == before, "only what ended is recorded"
    gate.release(2)
    finish(page)

    assert page.inner_text("#ask-answer .answer-text") == "KX7421"
    assert "Answered in 3 steps" in page.inner_text("#ask-answer")
    assert page.locator(".source-mark").count() == 2
    assert page.locator(".crops-crop").count() == 2
    crop = page.locator(".crops-crop img").first
    page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=crop.element_handle())
    left, top, right, bottom = Box(0.4, 0.38, 0.6, 0.56).to_pixels((1024, 768))
    assert crop.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [right - left, bottom - top]

    revision = newest(live)
    assert live.studio.store.queue.page().total == before + 1
    assert revision.trace.answer == "KX7421"
    assert revision.trace.stop_reason == "answered"
    assert revision.trace.views[2].box == Box(0.1, 0.1, 0.6, 0.6).within(Box(0.4, 0.38, 0.6, 0.56))
    assert revision.author == page.inner_text(".navigation-user")
    assert re.fullmatch(r"guest-[0-9a-f]{8}", revision.author)

    page.click("#ask-review")
    page.wait_for_selector("#ask-answer .answer-link:visible")
    assert page.get_attribute("#ask-answer .answer-link", "href") == f"curate?trace={revision.trace_id}"
    (review,) = live.studio.store.reviews.list(revision.trace_id)
    assert (review.verdict, review.revision_id) == ("flagged", revision.id)

    assert f"trace={revision.trace_id}" in page.url
    page.reload()
    finish(page)
    assert page.inner_text("#ask-answer .answer-text") == "KX7421"
    assert page.locator("#ask-steps .card").count() == 3
    assert page.input_value("#ask-question textarea") == "What is written on the red sign?"
    assert live.studio.store.queue.page().total == before + 1, "opening a trace records none"


def test_a_clip_lights_the_chosen_frames_and_a_follow_up_keeps_it(live: LiveStudio, page: Any) -> None:
    live.say(*LOOK_AT_FRAMES)
    pick(page, 2)
    page.wait_for_selector(".filmstrip-frame")
    assert page.locator(".filmstrip-frame").count() == 16
    ask(page)
    finish(page)
    lit = page.locator(".filmstrip-frame.is-lit").evaluate_all("frames => frames.map(f => Number(f.dataset.frame))")
    assert lit == [6, 7]
    assert "frame 6 of 16" in page.inner_text(".source-size"), "the stage turns to the first chosen frame"
    first = newest(live)
    assert [first.trace.view(number).frame for number in first.trace.steps[0].observation.views] == [6, 7]

    page.fill("#ask-question textarea", "And then?")
    page.press("#ask-question textarea", "Enter")
    page.wait_for_selector("#ask-answer .answer-question:has-text('And then?')")
    finish(page)
    second = newest(live)
    assert second.trace.question == "And then?"
    assert second.trace.media == first.trace.media


def test_another_sample_after_an_answer_starts_afresh(live: LiveStudio, page: Any) -> None:
    live.say(*LOOK_TWICE)
    pick(page, 1)
    ask(page)
    finish(page)
    pick(page, 2)
    page.wait_for_selector(".filmstrip-frame")
    page.wait_for_selector("#ask-answer [data-state=empty]", state="attached")
    assert page.locator("#ask-steps .card").count() == 0
    assert page.locator(".source-mark").count() == 0
    assert not page.is_visible("#ask-review")


def test_stop_ends_it_at_once_and_keeps_what_was_thought(live: LiveStudio, page: Any) -> None:
    live.hold(*NEVER_DONE)
    pick(page, 1)
    ask(page)
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('I think')")
    page.click("#ask-stop")
    finish(page)
    assert "You stopped it" in page.inner_text("#ask-answer")
    revision = newest(live)
    assert revision.trace.stop_reason == "cancelled"
    assert "I think and think." in revision.trace.steps[0].thought
    assert revision.trace.answer is None


def test_a_closed_page_stops_its_answer(live: LiveStudio, open_page: Callable[..., Any]) -> None:
    live.hold(*NEVER_DONE)
    before = live.studio.store.queue.page().total
    page = open_page()
    pick(page, 1)
    ask(page)
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('I think')")
    patience_s, live.answering.patience_s = live.answering.patience_s, 0.2
    page.close()
    try:
        live.until(lambda: live.studio.store.queue.page().total == before + 1)
    finally:
        live.answering.patience_s = patience_s
    assert newest(live).trace.stop_reason == "cancelled"


def test_a_phone_that_sleeps_finds_its_answer(live: LiveStudio, open_page: Callable[..., Any]) -> None:
    gate = live.hold(*LOOK_TWICE)
    before = live.studio.store.queue.page().total
    page = open_page(width=390)
    pick(page, 1)
    ask(page)
    page.wait_for_selector("#ask-steps .card.is-live .card-thought:has-text('A red sign')")
    page.context.set_offline(True)
    page.wait_for_timeout(500)
    gate.release(3)
    live.until(lambda: live.studio.store.queue.page().total == before + 1)
    assert newest(live).trace.stop_reason == "answered"
    page.context.set_offline(False)
    finish(page)
    assert page.inner_text("#ask-answer .answer-text") == "KX7421"
    assert page.locator("#ask-steps .card").count() == 3


def test_the_frame_on_the_stage_is_ringed_whichever_part_of_the_page_is_there_first(
    live: LiveStudio, open_page: Callable[..., Any]
) -> None:
    live.say(Step("It shows in the middle.", SelectFrames((6, 7))), Step("I see it.", answer="EXIT 14"))
    page = open_page()
    pick(page, 2)
    ask(page)
    finish(page)
    address = f"{live.url}/?trace={newest(live).trace_id}"
    for _ in range(4):
        page.goto(address)
        finish(page)
        page.wait_for_selector(".filmstrip [aria-pressed=true][data-frame='6']")


def test_a_cell_of_a_spreadsheet_is_pasted_as_text(live: LiveStudio, page: Any) -> None:
    pick(page, 1)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    paste = """(where) => {
        const data = new DataTransfer();
        data.setData('text/plain', 'Which row?');
        data.setData('text/html', '<table><tr><td>Which row?</td></tr></table>');
        data.items.add(new File([new Uint8Array(8)], 'image.png', { type: 'image/png' }));
        return document.querySelector(where).dispatchEvent(
            new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
    }"""
    assert page.evaluate(paste, "#ask-question textarea"), "the browser is left to paste the text"
    assert not page.evaluate(paste, "body"), "anywhere else the picture is taken"
    page.wait_for_selector(".drop-error:has-text('image.png'), .drop-error:not(:empty)")
    assert sum(url.endswith("/media") for url in sent) == 1


def test_hebrew_and_arabic_run_their_own_way(live: LiveStudio, page: Any) -> None:
    live.say(
        Step("שלט אדום עומד באמצע.", ZoomIn(1, Box(0.4, 0.38, 0.6, 0.56))),
        Step("الآن أستطيع قراءتها.", answer="יציאה 14"),
    )
    pick(page, 1)
    page.fill("#ask-question textarea", "מה כתוב על השלט?")
    ask(page)
    finish(page)
    assert turned(page) == (6, []), "field, question, answer, two thoughts, the answer's card"
    page.goto(f"{live.url}/curate?trace={newest(live).trace_id}")
    page.wait_for_selector("#curate-approve:enabled")
    page.wait_for_selector(".queue-row")
    count, wrong = turned(page)
    assert wrong == [] and count >= 7, "row, title, two cards, two fields"


def turned(page: Any) -> tuple[int, list[str]]:
    """How many places hold a text that runs from right to left, and those of them where it runs the wrong way."""
    found = page.evaluate(
        """() => [...document.querySelectorAll('body *')].filter((node) => node.checkVisibility()).map((node) => {
            const own = [...node.childNodes].filter((one) => one.nodeType === 3).map((one) => one.data).join('');
            const text = 'value' in node ? String(node.value) : own;
            const isFound = /^[^\\p{L}]*[\u0590-\u06ff]/u.test(text);
            return [node.tagName + '.' + node.className, isFound, getComputedStyle(node).direction];
        }).filter(([, isFound]) => isFound)"""
    )
    return len(found), [name for name, _, direction in found if direction != "rtl"]


def test_two_tabs_do_not_share_anything(live: LiveStudio, open_page: Callable[..., Any]) -> None:
    gate = live.hold(*LOOK_TWICE)
    one, two = open_page(), open_page()
    pick(one, 1)
    pick(two, 2)
    one.fill("#ask-question textarea", "From the first tab?")
    two.fill("#ask-question textarea", "From the second tab?")
    ask(one)
    ask(two)
    gate.release(6)
    finish(one)
    finish(two)
    assert one.inner_text(".answer-question") == "From the first tab?"
    assert two.inner_text(".answer-question") == "From the second tab?"
    items = [listed.item for listed in live.studio.store.queue.page(limit=2).items]
    asked = {item.question: live.studio.store.revisions.head(item.id) for item in items}
    assert asked["From the first tab?"].trace.media[0].sha256 == live.picture
    assert asked["From the second tab?"].trace.media[0].sha256 == live.clip
    assert len({revision.author for revision in asked.values()}) == 2


def test_a_hostile_file_is_refused_in_one_sentence_and_nothing_is_stored(
    live: LiveStudio, page: Any, tmp_path: Path
) -> None:
    hostile = tmp_path / "photo.png"
    hostile.write_text("<!doctype html><html><script>alert(1)</script></html>")
    files = lambda: sorted(path for path in live.studio.settings.artifacts.rglob("*") if path.is_file())  # noqa: E731
    stored, known = files(), len(live.studio.store.media.list(limit=1000))
    page.fill("#ask-question textarea", "What did I type?")
    page.set_input_files("#ask-media input[type=file]", hostile)
    page.wait_for_selector(".drop-error:not(:empty)")
    sentence = page.inner_text(".drop-error")
    assert "HTML" in sentence and "accepted" in sentence and sentence.endswith(".")
    assert page.input_value("#ask-question textarea") == "What did I type?"
    assert not page.is_visible(".source")
    assert files() == stored
    assert len(live.studio.store.media.list(limit=1000)) == known


def test_a_picture_of_ones_own_is_taken_and_asked_about(live: LiveStudio, page: Any, tmp_path: Path) -> None:
    live.say(*LOOK_TWICE)
    own = tmp_path / "my own picture.jpg"
    Image.effect_noise((640, 480), 40).convert("RGB").save(own)
    page.fill("#ask-question textarea", "What is this?")
    page.set_input_files("#ask-media input[type=file]", own)
    page.wait_for_selector(".source-name:has-text('my own picture.jpg')")
    assert page.input_value("#ask-question textarea") == "What is this?"
    ask(page)
    finish(page)
    (medium,) = newest(live).trace.media
    record = live.studio.store.media.get(medium.sha256)
    assert (record.name, record.byte_size) == ("my own picture.jpg", own.stat().st_size)
    assert live.studio.media.path(medium.sha256).read_bytes() == own.read_bytes()


@pytest.mark.parametrize(("format", "name"), [("GIF", "moving.gif"), ("WEBP", "moving.webp"), ("PNG", "moving.png")])
def test_an_animation_plays_though_no_player_takes_it(page: Any, tmp_path: Path, format: str, name: str) -> None:
    frames = [Image.new("RGB", (64, 48), colour) for colour in ("red", "green", "blue")]
    frames[0].save(tmp_path / name, format, save_all=True, append_images=frames[1:], duration=200)
    page.set_input_files("#ask-media input[type=file]", tmp_path / name)
    page.click(".source-play")
    page.wait_for_function("document.querySelector('img.clip-player')?.naturalWidth === 64")
    assert page.inner_text(".source-play") == "Back to the frames" and not page.query_selector("video")
    page.click(".source-play")
    page.wait_for_selector("img.clip-player", state="detached")


def test_what_is_missing_is_said(live: LiveStudio, page: Any) -> None:
    before = live.studio.store.queue.page().total
    page.click("#ask-run")
    page.wait_for_selector(".answer-problem:has-text('Choose a picture or a clip first')")
    pick(page, 1)
    page.fill("#ask-question textarea", "   ")
    page.click("#ask-run")
    page.wait_for_selector(".answer-problem:has-text('Write a question first')")
    page.fill("#ask-question textarea", "What is this?")
    page.click(".ask-advanced .label-wrap")
    page.fill("#ask-seed textarea, #ask-seed input", "seven")
    page.click("#ask-run")
    page.wait_for_selector(".answer-problem:has-text('whole number')")
    assert live.studio.store.queue.page().total == before
    page.goto(live.url + "/?trace=nothing")
    page.wait_for_selector(".answer-problem:has-text('no trace')")


def test_a_failure_of_ours_is_said_and_recorded(live: LiveStudio, page: Any) -> None:
    live.break_down()
    pick(page, 1)
    page.click("#ask-run")
    finish(page)
    assert "Something broke on our side" in page.inner_text("#ask-answer")
    assert newest(live).trace.stop_reason == "failed"


def test_only_the_keyboard(live: LiveStudio, page: Any) -> None:
    live.say(*LOOK_TWICE)
    page.focus("#ask-samples button")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_selector(".source-svg")
    page.focus("#ask-question textarea")
    page.keyboard.press("Enter")
    finish(page)
    assert newest(live).trace.answer == "KX7421"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_the_phone_does_not_scroll_sideways(
    live: LiveStudio, open_page: Callable[..., Any], axe: Callable[[Any], list[str]], scheme: str
) -> None:
    live.say(Step("Let me see.", ZoomIn(9, Box.full())), *LOOK_TWICE)
    for width, height in ((1440, 900), (390, 844)):
        page = open_page(width=width, height=height, scheme=scheme)
        _inspect(axe, page, "empty")
        pick(page, 1)
        ask(page)
        finish(page)
        assert "It did not work" in page.inner_text("#ask-steps"), "a mistake of the model is shown"
        _inspect(axe, page, "answered")
        pick(page, 2)
        page.wait_for_selector(".filmstrip-frame")
        _inspect(axe, page, "clip")


def _inspect(axe: Callable[[Any], list[str]], page: Any, state: str) -> None:
    widths = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1], f"{state}: the page is {widths[0]} px wide in a window of {widths[1]}"
    # A part that is still fading in has not its colours yet.
    still = "a => a.playState !== 'running' || a.effect.getTiming().iterations === Infinity"
    page.wait_for_function(f"document.getAnimations().every({still})")
    assert axe(page) == [], state


def test_a_model_that_loads_is_seen_loading_and_a_question_waits_for_it(
    tmp_path: Path, new_page: Callable[..., Any]
) -> None:
    goes_on, answers = threading.Event(), ScriptedPolicy(("\\boxed{KX7421}",), 0.0)

    def load(on_loading: Callable[[str, float | None], None]) -> Reasoner:
        on_loading("reading weights", 0.43)
        goes_on.wait(120)
        return Reasoner(answers)

    studio = LiveStudio(tmp_path, Starting("PixelReasoner-RL-v1, 4bit", load))
    try:
        page = new_page(1440, 900)
        page.goto(studio.url)
        assert studio.studio.reasoner is not None
        studio.studio.reasoner.start()
        page.wait_for_selector(".navigation-note:has-text('PixelReasoner-RL-v1, 4bit: reading weights, 43%')")
        curate = new_page(1440, 900)
        curate.goto(studio.url + "/curate")
        curate.wait_for_selector(".navigation-note:has-text('43%')")
        pick(page, 1)
        page.click("#ask-run")
        page.wait_for_selector("#ask-answer:has-text('43%; your question waits')")
        goes_on.set()
        page.wait_for_selector(".answer-text:has-text('KX7421')")
        page.wait_for_selector(".navigation-note:has-text('43%')", state="hidden")
    finally:
        goes_on.set()
        studio.close()


def test_a_server_answers_on_the_page_and_train_says_where_it_is_trained(
    tmp_path: Path, new_page: Callable[..., Any]
) -> None:
    import app

    call = {"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [400, 380, 600, 560], "img_idx": 0}}
    with serve(StandIn((f"Closer.\n<tool_call>\n{json.dumps(call)}\n</tool_call>", "\\boxed{KX7421}"))) as stand_in:
        environment = {"STUDIO_HOME": str(tmp_path / "home"), "STUDIO_MODEL": f"openai:{stand_in.url}#{MODEL}"}
        services = app.build_studio(Settings.from_environment(environment | {"OPENAI_API_KEY": "sk-secret"}))
        studio = LiveStudio(tmp_path, services.reasoner)
        try:
            page = new_page(1440, 900)
            page.goto(studio.url)
            page.wait_for_selector("#ask-samples li")
            pick(page, 1)
            page.click("#ask-run")
            page.wait_for_selector(".answer-text:has-text('KX7421')")
            assert page.locator(".answer-policy").inner_text() == "Qwen3-VL-4B-Instruct"
            page.goto(studio.url + "/train")
            page.wait_for_selector(".plan:has-text('is trained where its weights are: export what was approved')")
            assert set(stand_in.keys) == {"Bearer sk-secret"}
            assert b"sk-secret" not in (tmp_path / "annotations.db").read_bytes()
        finally:
            studio.close()
            services.worker.close(10)
            services.store.close()
