"""Keys and words of every kind on the Curate screen: held keys, other layouts, a page that goes while somebody types,
languages that run from right to left."""

from __future__ import annotations

import pytest

from tests.browser.curating import eventually, opened, settled, time_passes
from tests.browser.live import LiveStudio
from tests.browser.traces import picture_trace

COUNT = 8


@pytest.fixture(scope="module")
def studio(tmp_path_factory, chromium):
    studio = LiveStudio(tmp_path_factory.mktemp("keys"))
    with studio.store() as store:
        media = studio.media()
        for seed in range(COUNT):
            picture_trace(store, media, seed, size=(640, 480), is_nested=True)
    yield studio
    studio.close()


@pytest.fixture(autouse=True)
def alone(studio):
    yield
    with studio.store() as store:
        time_passes(store)


def statuses(studio) -> list[str]:
    with studio.store() as store:
        return [listed.item.status for listed in store.queue.page(limit=COUNT).items]


def newest(studio, status: str = "new") -> str:
    with studio.store() as store:
        return next(listed.item.id for listed in store.queue.page(limit=COUNT).items if listed.item.status == status)


def place(page) -> str:
    return page.inner_text(".editor-place")


def press(page, key: str, code: str, **more) -> None:
    """A keydown as another layout sends it."""
    page.evaluate(
        "init => document.body.dispatchEvent(new KeyboardEvent('keydown', { bubbles: true, cancelable: true, ...init }))",
        {"key": key, "code": code, **more},
    )


def test_a_held_key_walks_but_decides_once(new_page, studio):
    page = opened(new_page(), studio)
    for _ in range(4):
        page.keyboard.down("a")
        page.wait_for_timeout(60)
        page.wait_for_selector("#curate-approve:enabled")
    page.keyboard.up("a")
    settled(page)
    assert statuses(studio).count("accepted") == 1

    page.focus("#curate-approve")
    for _ in range(4):
        page.keyboard.down("Enter")
        page.wait_for_timeout(60)
        page.wait_for_selector("#curate-approve:enabled")
    page.keyboard.up("Enter")
    settled(page)
    assert statuses(studio).count("accepted") == 2

    opened(page, studio)
    page.wait_for_function("document.querySelector('.editor-place').textContent.startsWith('1 of')")
    page.evaluate("document.activeElement.blur()")
    for _ in range(4):
        page.keyboard.down("j")
    page.keyboard.up("j")
    page.wait_for_function("document.querySelector('.editor-place').textContent.startsWith('5 of')")


def test_caps_lock_other_layouts_and_typed_brackets(new_page, studio):
    page = opened(new_page(), studio, f"?trace={newest(studio)}")
    before = page.locator(".card-thought").all_inner_texts()
    press(page, "N", "KeyN")
    press(page, "P", "KeyP")
    page.wait_for_selector(".card:nth-child(1) [aria-current=step]")
    press(page, "]", "Digit9", ctrlKey=True, altKey=True, modifierAltGraph=True)
    page.wait_for_function("t => document.querySelector('.card-thought').textContent !== t", arg=before[0])
    settled(page)
    press(page, "я", "KeyZ")
    page.wait_for_function("t => document.querySelector('.card-thought').textContent === t", arg=before[0])
    settled(page)
    # With Caps Lock the letter is "Z", which is redo only with shift.
    press(page, "Z", "KeyZ")
    page.wait_for_function("document.querySelector('.notice')?.textContent.includes('nothing to undo')")
    assert page.locator(".card-thought").all_inner_texts() == before


@pytest.mark.parametrize("way", ["reload", "close"])
def test_words_typed_just_before_the_page_goes_are_kept(new_page, studio, way):
    trace_id = newest(studio)
    page = opened(new_page(), studio, f"?trace={trace_id}")
    person = page.inner_text(".navigation-user")
    page.keyboard.press("e")
    page.keyboard.insert_text(f" Said before the {way}.")
    if way == "reload":
        page.reload()
        page.wait_for_function(
            "document.querySelector('#curate-thought textarea')?.value.endsWith(' Said before the reload.')"
        )
    else:
        page.close()
    with studio.store() as store:
        eventually(lambda: f"Said before the {way}." in str(store.drafts.find(trace_id, person)), True)
