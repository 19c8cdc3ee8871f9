"""Curate: what the queue shows, keys, verdicts, the address, a narrow screen; the database is asked beside the page."""

from __future__ import annotations

import re

import pytest

from tests.browser.curating import eventually, opened, time_passes
from tests.browser.live import LiveStudio
from tests.browser.traces import clip_trace, picture_trace

COUNT = 60


@pytest.fixture(scope="module")
def studio(tmp_path_factory, chromium):
    studio = LiveStudio(tmp_path_factory.mktemp("curate"))
    with studio.store() as store, store.transaction():
        media = studio.media()
        for seed in range(COUNT):
            if seed == 30:
                clip_trace(store, media, seed)
            else:
                question = "Which exit is on the green sign?" if seed % 10 == 3 else "What is written on the red disc?"
                picture_trace(store, media, seed % 5, question=question, size=(640, 480), is_nested=seed % 2 == 1)
    yield studio
    studio.close()


@pytest.fixture(autouse=True)
def alone(studio):
    """Every test is another person's, who finds nothing reserved."""
    yield
    with studio.store() as store:
        time_passes(store)


def ids(studio) -> list[str]:
    """Newest first, as the queue stands."""
    with studio.store() as store:
        return [listed.item.id for listed in store.queue.page(limit=1000).items]


def verdicts(studio, trace_id: str) -> list[tuple[str, str]]:
    with studio.store() as store:
        return [(r.verdict, r.reason) for r in store.reviews.list(trace_id) if r.undone_at is None]


def status(studio, trace_id: str) -> str:
    with studio.store() as store:
        return store.traces.get(trace_id).status


def current(page) -> str:
    return page.locator("#curate-queue [aria-selected=true]").get_attribute("data-id")


def test_a_trace_is_shown_and_approved_with_a_key(new_page, studio):
    page = opened(new_page(), studio)
    newest, second = ids(studio)[:2]
    assert current(page) == newest
    assert page.locator("#curate-queue [role=option]").count() == 50
    assert page.locator("#curate-steps li").count() == 3
    assert page.locator("#curate-media g.box").count() == 2
    assert page.locator(".inspector-gold").inner_text() == "KX0004"
    page.keyboard.press("a")
    eventually(lambda: verdicts(studio, newest), [("accepted", "")])
    assert status(studio, newest) == "accepted"
    page.wait_for_function("id => location.search.includes(id)", arg=second)
    assert current(page) == second
    page.keyboard.press("u")
    eventually(lambda: status(studio, newest), "new")


def test_a_rejection_is_recorded_at_once_and_takes_its_reason_after(new_page, studio):
    trace_id = ids(studio)[4]
    page = opened(new_page(), studio, f"?trace={trace_id}")
    page.click("#curate-reject")
    eventually(lambda: verdicts(studio, trace_id), [("rejected", "")])
    assert current(page) == trace_id
    page.keyboard.press("2")
    eventually(lambda: verdicts(studio, trace_id), [("rejected", "wrong place")])
    assert current(page) == ids(studio)[5]


def test_thirty_keys_end_on_the_right_trace(new_page, studio):
    page = opened(new_page(), studio, "?status=new")
    rows = [row.get_attribute("data-id") for row in page.locator("#curate-queue [role=option]").all()]
    for key in "jjjjjjjjjjkkjjjjjkjjjjjkkkjjjj":
        page.keyboard.press(key)
    at = sum(1 if key == "j" else -1 for key in "jjjjjjjjjjkkjjjjjkjjjjjkkkjjjj")
    assert current(page) == rows[at]
    page.wait_for_selector("#curate-approve:enabled")
    with studio.store() as store:
        number = store.traces.get(rows[at]).item.number
    assert f"#{number} " in page.locator(".editor-facts").inner_text() + " "


def test_search_and_status_are_asked_of_the_server_and_stand_in_the_address(new_page, studio):
    page = opened(new_page(), studio)
    page.keyboard.press("/")
    page.keyboard.type("green")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length == 6")
    assert page.locator(".queue-note").inner_text() == "6 found"
    page.wait_for_function("location.search.includes('search=green')")
    page.reload()
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length == 6")
    assert page.locator("#curate-search input").input_value() == "green"
    page.fill("#curate-search input", "nothing has these words")
    page.wait_for_function("document.querySelector('.queue-note')?.textContent.startsWith('Nothing here matches')")
    page.goto(f"{studio.url}/curate?search=nowhere&status=new")
    page.click(".editor-clear")
    page.wait_for_function("document.querySelectorAll('#curate-queue [role=option]').length == 50")
    assert page.locator(".editor-nomatch").is_hidden()
    page.wait_for_function("!location.search.includes('nowhere')")


def test_the_list_goes_on_where_it_is_scrolled(new_page, studio):
    page = opened(new_page(), studio)
    page.locator("#curate-queue [role=option]").last.scroll_into_view_if_needed()
    page.wait_for_function(f"document.querySelectorAll('#curate-queue [role=option]').length == {COUNT}")


def test_slow_thumbnails_leave_connections_for_work(new_page, studio):
    page, asked = new_page(), []
    page.route(re.compile(r"/thumbnail\?(frame=\d+&)?side=128$"), lambda route: asked.append(route))  # never answered
    opened(page, studio)
    page.wait_for_timeout(500)
    assert len(asked) == 3
    page.keyboard.press("j")
    page.wait_for_selector("#curate-approve:enabled")


def test_a_clip_shows_its_chosen_frames(new_page, studio):
    with studio.store() as store:
        clip = next(
            listed.item.id for listed in store.queue.page(limit=1000).items if listed.item.media_kind == "video"
        )
    page = opened(new_page(), studio, f"?trace={clip}")
    lit = page.locator(".editor-strip .is-lit")
    assert [frame.get_attribute("data-frame") for frame in lit.all()] == ["4", "5"]
    assert page.locator(".filmstrip-frame").count() == 16
    assert "frame 4 of 16" in page.locator(".editor-name").inner_text()
    page.click(".filmstrip-frame[data-frame='9']")
    assert "frame 9 of 16" in page.locator(".editor-name").inner_text()


def test_a_verdict_on_a_version_that_no_longer_stands_is_refused(new_page, studio):
    trace_id = ids(studio)[7]
    page = opened(new_page(), studio, f"?trace={trace_id}")
    with studio.store() as store:
        head = store.revisions.head(trace_id)
        changed = type(head.trace)(
            **{**_fields(head.trace), "steps": head.trace.steps[-1:], "views": head.trace.views[:1]}
        )
        store.revisions.append(trace_id, changed, "ben", head.id)
    page.keyboard.press("a")
    page.wait_for_function("document.querySelector('.notice')?.textContent.includes('ben saved version 2')")
    assert verdicts(studio, trace_id) == []


def _fields(trace):
    return {name: getattr(trace, name) for name in trace.__slots__}


def test_a_trace_that_is_not_there_says_so(new_page, studio):
    page = new_page()
    page.goto(f"{studio.url}/curate?trace=nonsense")
    page.wait_for_selector(".editor-problem:visible")
    assert "no trace" in page.locator(".editor-problem").inner_text()
    page.wait_for_selector("#curate-queue [role=option]")
    page.keyboard.press("j")
    page.wait_for_selector("#curate-approve:enabled")


def test_the_sheet_of_keys(new_page, studio):
    page = opened(new_page(), studio)
    page.keyboard.press("?")
    assert page.locator("dialog.sheet").is_visible()
    assert re.search("next trace", page.locator("dialog.sheet").inner_text())
    page.keyboard.press("j")
    assert current(page) == ids(studio)[0]
    page.keyboard.press("Escape")
    assert not page.locator("dialog.sheet").is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(new_page, studio, theme, axe):
    page = opened(new_page(color_scheme=theme), studio, f"?__theme={theme}")
    page.click("#curate-reject")
    page.wait_for_selector(".inspector-why:visible")
    page.wait_for_timeout(500)
    assert axe(page) == []


def test_a_phone_needs_no_sideways_scroll_and_keeps_the_bar_at_hand(new_page, studio):
    page = opened(new_page(width=390, height=844), studio)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    box = page.locator("#curate-approve").bounding_box()
    assert box["y"] + box["height"] <= 844 and box["height"] >= 44
    page.mouse.wheel(0, 600)
    assert page.locator("#curate-approve").bounding_box()["y"] == box["y"]


def test_an_empty_studio_says_what_to_do(new_page, tmp_path):
    studio = LiveStudio(tmp_path)
    page = new_page()
    page.goto(f"{studio.url}/curate")
    page.wait_for_selector(".editor-empty:visible")
    assert page.locator("#curate-approve").is_disabled()
    page.click(".editor-empty a")
    page.wait_for_selector("#ask-run")
    studio.close()
