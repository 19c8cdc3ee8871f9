"""The edit journey: a box is dragged, the crop is cut again as the engine cuts it, what follows is stale until it is
settled, all of it can be undone, and what is approved is what stands in the database."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from engine.operations import cut
from tests.browser.curating import drag_box, eventually, opened, settled
from tests.browser.live import LiveStudio
from tests.browser.traces import clip_trace, picture_trace

NAMES = ("nested", "undo", "text", "clip", "drawn", "steps", "continued", "wrong", "continued clip")


@pytest.fixture(scope="module")
def bench(tmp_path_factory, chromium):
    """A studio, and the ids of its traces by name."""
    studio = LiveStudio(tmp_path_factory.mktemp("editing"))
    ids = {}
    with studio.store() as store:
        media = studio.media()
        for seed, name in enumerate(NAMES):
            is_clip = "clip" in name
            make = clip_trace if is_clip else picture_trace
            ids[name] = make(
                store, media, seed, **({"is_zoomed": name != "clip"} if is_clip else {"is_nested": True})
            ).id
    yield studio, ids
    studio.close()


def head(studio, trace_id):
    with studio.store() as store:
        return store.revisions.head(trace_id)


def shown_pixels(page, selector: str) -> np.ndarray:
    """The pixels of a picture as the browser has decoded them."""
    page.wait_for_function(
        "s => { const i = document.querySelector(s); return i && i.complete && i.naturalWidth }", arg=selector
    )
    data = page.evaluate(
        """async (s) => { const image = document.querySelector(s), canvas = document.createElement('canvas');
        canvas.width = image.naturalWidth; canvas.height = image.naturalHeight; canvas.getContext('2d').drawImage(image, 0, 0);
        const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
        return [...new Uint8Array(await blob.arrayBuffer())]; }""",
        selector,
    )
    return np.asarray(Image.open(io.BytesIO(bytes(data))).convert("RGB"))


def test_a_dragged_box_is_cut_again_and_approved(new_page, bench):
    studio, ids = bench
    trace_id = ids["nested"]
    page = opened(new_page(), studio, f"?trace={trace_id}")
    before = head(studio, trace_id)
    drag_box(page, 0, by=(0.1, -0.08))
    page.wait_for_selector(".ghost")
    settled(page)
    # The second look was cut from the first, so it is cut again; it and the answer must be looked at again.
    assert page.locator(".card.is-stale").count() == 2
    page.locator(".card-head").first.click()
    mine = page.locator(".crop[data-side=mine] img")
    assert mine.count() == 1
    with studio.store() as store:
        draft = store.drafts.find(trace_id, person(page))
        assert draft is not None and draft.is_changed
    page.wait_for_selector(".crop[data-side=mine] img:not(.is-coming)")
    seen = shown_pixels(page, ".crop[data-side=mine] img")

    page.keyboard.press("a")
    page.wait_for_function("document.querySelector('.notice')?.textContent.includes('stale')")
    assert head(studio, trace_id).id == before.id
    for _ in range(2):
        page.locator(".card.is-stale [data-act=confirm]").first.click()
        settled(page)
    assert page.locator(".card.is-stale").count() == 0
    page.keyboard.press("a")
    eventually(lambda: status(studio, trace_id), "accepted")

    after = head(studio, trace_id)
    assert after.parent_id == before.id and after.number == 2
    box = after.trace.steps[0].operation.box
    assert (round(box.x1, 2), round(box.y1, 2)) == (0.40, 0.32)
    pictures = studio.media().pictures(after.trace.media)
    assert np.array_equal(seen, np.asarray(cut(after.trace.view(2), pictures)))
    with studio.store() as store:
        assert store.verify(studio.media()).problems == ()


def test_undo_goes_back_through_everything_across_a_reload(new_page, bench):
    studio, ids = bench
    page = opened(new_page(), studio, f"?trace={ids['undo']}")
    drag_box(page, 0, by=(0.1, 0.0))
    settled(page)
    page.keyboard.press("3")
    page.fill("#curate-answer textarea", "ZZ9999")
    page.locator("#curate-answer textarea").blur()
    settled(page)
    page.reload()
    page.wait_for_selector("#curate-approve:enabled")
    assert page.input_value("#curate-answer textarea") == "ZZ9999"
    assert page.locator(".ghost").count() == 1
    page.keyboard.press("z")
    page.wait_for_function("document.querySelector('#curate-answer textarea').value === 'KX0001'")
    page.click("#curate-undo")
    page.wait_for_function("!document.querySelector('.ghost')")
    settled(page)
    assert page.locator("#curate-undo").is_disabled()
    page.keyboard.press("Shift+Z")
    page.wait_for_selector(".ghost")
    page.keyboard.press("Shift+Z")
    page.wait_for_function("document.querySelector('#curate-answer textarea').value === 'ZZ9999'")


def test_thought_and_answer_are_saved_while_typing_and_differ_word_by_word(new_page, bench):
    studio, ids = bench
    trace_id = ids["text"]
    page = opened(new_page(), studio, f"?trace={trace_id}")
    page.keyboard.press("e")
    page.keyboard.type(" Really.")
    page.wait_for_function("document.querySelector('.change ins')?.textContent.includes('Really.')")
    settled(page)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    eventually(lambda: status(studio, trace_id), "accepted")
    assert head(studio, trace_id).trace.steps[0].thought == "The disc is small, so I look closer. Really."


def test_frames_are_chosen_by_click_and_range(new_page, bench):
    studio, ids = bench
    trace_id = ids["clip"]
    page = opened(new_page(), studio, f"?trace={trace_id}")
    page.click(".filmstrip-frame[data-frame='5']")
    page.click(".filmstrip-frame[data-frame='8']")
    page.click(".filmstrip-frame[data-frame='10']", modifiers=["Shift"])
    settled(page)
    lit = [frame.get_attribute("data-frame") for frame in page.locator(".editor-strip .is-lit").all()]
    assert lit == ["4", "8", "9", "10"]
    assert page.locator(".crop").count() == 4
    page.wait_for_selector(".crop:nth-child(2) img:not(.is-coming)")
    page.locator(".card.is-stale [data-act=confirm]").first.click()
    settled(page)
    page.keyboard.press("a")
    eventually(lambda: status(studio, trace_id), "accepted")
    trace = head(studio, trace_id).trace
    assert trace.steps[0].operation.frames == (4, 8, 9, 10)
    assert [view.frame for view in trace.views[16:]] == [4, 8, 9, 10]


def test_a_box_is_drawn_nudged_and_deleted_with_keys(new_page, bench):
    studio, ids = bench
    page = opened(new_page(), studio, f"?trace={ids['drawn']}")
    page.keyboard.press("3")
    drag_empty(page, (0.7, 0.1), (0.9, 0.3))
    settled(page)
    assert page.locator("#curate-steps li").count() == 4
    assert page.locator(".card.is-chosen .card-name").inner_text() == "looked closer at view 1"
    page.keyboard.press("b")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.wait_for_function("document.activeElement.getAttribute('aria-label').includes('from 67 and 10')")
    page.wait_for_timeout(400)
    settled(page)
    assert page.evaluate("document.activeElement.dataset.step") == "2"
    page.keyboard.press("Delete")
    settled(page)
    assert page.locator(".card.is-chosen .card-name").inner_text() == "thought"


def test_steps_move_are_marked_and_deleted(new_page, bench):
    studio, ids = bench
    trace_id = ids["steps"]
    page = opened(new_page(), studio, f"?trace={trace_id}")
    page.keyboard.press("1")
    page.keyboard.press("m")
    settled(page)
    assert page.locator(".card.is-erroneous").count() == 1
    page.keyboard.press("2")
    page.keyboard.press("x")
    settled(page)
    assert page.locator("#curate-steps li").count() == 2
    page.locator(".card.is-stale [data-act=confirm]").first.click()
    settled(page)
    page.keyboard.press("a")
    eventually(lambda: status(studio, trace_id), "accepted")
    trace = head(studio, trace_id).trace
    assert [step.is_erroneous for step in trace.steps] == [True, False]


@pytest.mark.parametrize("kind", ["picture", "clip"])
def test_an_edited_look_is_cut_as_the_engine_cuts_it_continued_and_approved(new_page, bench, kind):
    studio, ids = bench
    trace_id = ids["continued" if kind == "picture" else "continued clip"]
    before = head(studio, trace_id)
    page = opened(new_page(), studio, f"?trace={trace_id}")
    step = 0 if kind == "picture" else 1
    page.keyboard.press(str(step + 1))
    drag_box(page, step, by=(0.1, 0.1))
    settled(page)
    assert page.locator(".card.is-stale").count() == (2 if kind == "picture" else 1)
    crop = ".crop[data-side=mine] img"
    page.wait_for_selector(f"{crop}:not(.is-coming)")
    seen = shown_pixels(page, crop)
    page.click("#curate-continue")
    page.wait_for_selector(".candidate [data-act=take]:visible")
    page.click(".candidates-more")
    page.wait_for_function("document.querySelectorAll('.candidate [data-act=take]:not([hidden])').length === 2")
    page.locator(".candidate [data-act=drop]").last.click()
    page.locator(".candidate [data-act=take]").first.click()
    settled(page)
    assert page.locator(".card.is-stale").count() == 0
    page.keyboard.press("a")
    eventually(lambda: status(studio, trace_id), "accepted")
    after = head(studio, trace_id)
    trace = after.trace
    assert (after.number, after.parent_id) == (2, before.id)
    assert trace.answer == "scripted" and len(trace.steps) >= step + 2
    shown = trace.view(trace.steps[step].observation.views[0])
    assert (shown.frame, round(shown.box.x1, 2)) == (None if kind == "picture" else 4, 0.4)
    assert np.array_equal(seen, np.asarray(cut(shown, studio.media().pictures(trace.media))))
    with studio.store() as store:
        assert [one.id for one in store.revisions.chain(trace_id)] in ([before.id, after.id], [after.id, before.id])
        assert store.verify(studio.media()).problems == ()


def status(studio, trace_id):
    with studio.store() as store:
        return store.traces.get(trace_id).status


def person(page) -> str:
    return next(one["value"].partition(".")[0] for one in page.context.cookies() if one["name"] == "studio_user")


def drag_empty(page, start, end):
    box = page.locator(".editor-svg").bounding_box()
    at = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end)]
    page.mouse.move(*at[0])
    page.mouse.down()
    page.mouse.move(*at[1], steps=5)
    page.mouse.up()
