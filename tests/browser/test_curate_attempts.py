"""Attempts at one question on the Curate screen: one row, side by side in the trace view, and keys to go between them."""

from __future__ import annotations

import pytest

from tests.browser.curating import eventually, opened, settled
from tests.browser.live import LiveStudio
from tests.browser.traces import picture_trace


@pytest.fixture(scope="module")
def studio(tmp_path_factory, chromium):
    studio = LiveStudio(tmp_path_factory.mktemp("attempts"))
    with studio.store() as store:
        media = studio.media()
        for seed, answers in enumerate((("KX0000", "QQ1", "QQ2"), ("KX0001",), ("KX0002", "QQ3"))):
            for answer in answers:
                picture_trace(
                    store,
                    media,
                    seed,
                    size=(640, 480),
                    answer=answer,
                    score=float(answer[0] == "K"),
                    group_id=f"group-{seed}" if len(answers) > 1 else None,
                )
    yield studio
    studio.close()


def answers(page) -> list[str]:
    return page.locator(".editor-attempt-answer").all_inner_texts()


def test_attempts_are_one_row_and_stand_side_by_side(new_page, studio):
    page = opened(new_page(), studio)
    assert page.locator(".queue-attempts").all_inner_texts() == ["×2", "", "×3"]
    assert page.locator(".queue-answer").all_inner_texts() == ["QQ3", "KX0001", "QQ2"]
    assert page.inner_text(".editor-place") == "1 of 3"
    assert page.locator(".queue-status-count").all_inner_texts()[:2] == ["6", "6"]
    page.locator(".queue-row").nth(2).click()
    page.wait_for_selector(".editor-attempt:nth-child(3)[aria-pressed=true]")
    assert answers(page) == ["KX0000", "QQ1", "QQ2"]
    page.keyboard.press("l")
    page.wait_for_selector(".editor-attempt:nth-child(1)[aria-pressed=true]")
    page.keyboard.press("h")
    page.keyboard.press("h")
    page.wait_for_selector(".editor-attempt:nth-child(2)[aria-pressed=true]")
    eventually(lambda: page.locator(".queue-answer").nth(2).inner_text(), "QQ1")
    assert page.inner_text(".editor-place") == "3 of 3"
    page.wait_for_selector("#curate-approve:enabled")
    page.locator(".editor-attempt").nth(0).click()
    page.wait_for_function("document.querySelector('#curate-answer textarea').value === 'KX0000'")
    page.keyboard.press("a")
    settled(page)
    page.keyboard.press("k")
    page.keyboard.press("k")
    with studio.store() as store:
        (accepted,) = [item for item in store.queue.page(limit=50).items if item.item.status == "accepted"] or [None]
        group = [one for one in store.queue.group(store.queue.ids(_accepted(), 1)[0])]
    assert accepted is None  # the newest attempt of the group is the row
    assert [(one.answer, one.status) for one in group] == [("KX0000", "accepted"), ("QQ1", "new"), ("QQ2", "new")]
    page.goto(f"{studio.url}/curate?status=accepted")
    page.wait_for_selector("#curate-approve:enabled")
    assert page.locator(".queue-attempts").all_inner_texts() == ["×3"]
    assert [one.get_attribute("data-status") for one in page.locator(".editor-attempt").all()] == [
        "accepted",
        "new",
        "new",
    ]


def test_a_question_that_was_asked_once_shows_no_attempts(new_page, studio):
    page = opened(new_page(), studio)
    page.locator(".queue-row").nth(1).click()
    page.wait_for_function("document.querySelector('#curate-answer textarea').value === 'KX0001'")
    assert page.locator(".editor-attempts").is_hidden()
    page.keyboard.press("l")
    page.wait_for_timeout(60)
    assert page.input_value("#curate-answer textarea") == "KX0001"


def _accepted():
    from engine.store import Query

    return Query(status="accepted")
