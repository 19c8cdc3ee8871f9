"""Nothing that was done is lost: a server killed in the middle of an edit, a network that goes and comes back, two
people on one trace; and a large photograph, cut again after every drag (how fast, `bench editor` says)."""

from __future__ import annotations

import pytest

from engine.editing import draft_from_json
from engine.trace import view_size
from tests.browser.curating import drag_box, eventually, opened, settled
from tests.browser.live import LiveStudio
from tests.browser.traces import picture_trace


@pytest.fixture(scope="module")
def studio(tmp_path_factory, chromium):
    studio = LiveStudio(tmp_path_factory.mktemp("lasting"))
    yield studio
    studio.close()


def two_traces(studio) -> list[str]:
    """The ids of two small traces, the newest in the studio."""
    with studio.store() as store:
        return [picture_trace(store, studio.media(), seed, is_nested=True).id for seed in range(2)]


def person(page) -> str:
    return next(one["value"].partition(".")[0] for one in page.context.cookies() if one["name"] == "studio_user")


def current(page) -> str:
    return page.locator("#curate-queue [aria-selected=true]").get_attribute("data-id")


def drafts(studio, trace_id, page):
    with studio.store() as store:
        return store.drafts.find(trace_id, person(page))


def test_a_killed_server_and_a_lost_network_lose_no_edit(new_page, running_studio):
    studio = running_studio()
    trace_id = two_traces(studio)[0]
    studio.start()
    page = opened(new_page(), studio, f"?trace={trace_id}")
    drag_box(page, 0, by=(0.1, 0.0))
    settled(page)
    studio.kill()
    # Two more changes while nobody listens: they are shown, and said not to be saved.
    page.keyboard.press("3")
    page.fill("#curate-answer textarea", "AWAY01")
    page.wait_for_function("document.querySelector('.inspector-saved').dataset.state === 'away'")
    assert "kept in this browser" in page.locator(".inspector-saved").inner_text()
    drag_box(page, 0, by=(0.0, 0.1))
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('studio-task')).length") == 2
    studio.start()
    settled(page)
    assert page.evaluate("Object.keys(localStorage).filter((name) => name.startsWith('studio-task')).length") == 0
    page.reload()
    page.wait_for_selector("#curate-approve:enabled")
    assert page.input_value("#curate-answer textarea") == "AWAY01"
    assert page.locator(".card.is-stale").count() >= 1
    eventually(lambda: drafts(studio, trace_id, page).is_changed, True)
    # The same with a network that goes away under a page, which is then closed: the next page of the browser sends what waited.
    page.context.set_offline(True)
    page.fill("#curate-answer textarea", "AWAY02")
    page.wait_for_function("document.querySelector('.inspector-saved').dataset.state === 'away'")
    page.close()
    page.context.set_offline(False)
    later = page.context.new_page()
    later.goto(f"{studio.url}/curate?trace={trace_id}")
    later.wait_for_function("document.querySelector('#curate-answer textarea')?.value === 'AWAY02'", timeout=60_000)


def test_two_people_on_one_trace(new_page, studio):
    trace_id = two_traces(studio)[1]
    ann = opened(new_page(), studio, f"?trace={trace_id}")
    with studio.store() as store:
        eventually(lambda: (held := store.reservations.of(trace_id)) and held.holder, person(ann))
    ben = new_page()
    ben.goto(f"{studio.url}/curate?trace={trace_id}")
    ben.wait_for_selector(".inspector-held:visible")
    assert "is working on this trace" in ben.locator(".inspector-holder").inner_text()
    assert ben.locator("#curate-approve").is_disabled() and not ben.locator("#curate-thought textarea").is_editable()
    ben.click(".inspector-insist")
    for page, thought in ((ann, "ann's thought"), (ben, "ben's thought")):
        page.fill("#curate-thought textarea", thought)
        page.locator("#curate-thought textarea").blur()
        settled(page)
    ann.click("#curate-approve")
    with studio.store() as store:
        eventually(lambda: store.traces.get(trace_id).status, "accepted")
    ben.click("#curate-approve")
    ben.wait_for_selector(".conflict:visible")
    ben.keyboard.press("r")  # not before the conflict is settled, so nothing is asked about a rejection
    assert ben.locator(".inspector-why").is_hidden()
    ben.click(".conflict-show")
    both = ben.locator("dialog.pair").inner_text()
    assert "ann's thought" in both and "ben's thought" in both
    ben.locator("dialog.pair .pair-acts button").first.click()
    ben.wait_for_selector(".conflict", state="hidden")
    settled(ben)
    ben.click("#curate-approve")
    with studio.store() as store:
        eventually(lambda: store.revisions.head(trace_id).trace.steps[0].thought, "ben's thought")
        assert [r.trace.steps[0].thought for r in store.revisions.chain(trace_id)][1:] == [
            "ann's thought",
            "ben's thought",
        ]


def test_a_page_that_goes_lets_go_of_its_trace_and_what_somebody_holds_is_passed_over(new_page, studio):
    older, newer = two_traces(studio)

    def holders() -> list[str | None]:
        with studio.store() as store:
            held = [store.reservations.of(trace_id) for trace_id in (newer, older)]
        return [one and one.holder for one in held]

    ann = opened(new_page(), studio)
    eventually(holders, [person(ann), None])
    ben = opened(new_page(), studio)
    assert current(ben) == older
    eventually(holders, [person(ann), person(ben)])
    ann.goto(f"{studio.url}/data")
    eventually(holders, [None, person(ben)])
    ben.keyboard.press("k")
    eventually(holders, [person(ben), None])


def test_a_12_megapixel_photo_is_cut_again_after_every_drag(new_page, studio):
    with studio.store() as store:
        trace_id = picture_trace(store, studio.media(), 3, size=(4000, 3000)).id
    page = opened(new_page(), studio, f"?trace={trace_id}")
    page.wait_for_selector(".crop img:not(.is-coming)")
    for turn in range(3):
        before = page.locator(".crop:last-child img").get_attribute("src")
        drag_box(page, 0, by=(0.03 if turn % 2 else -0.04, 0.02))
        page.wait_for_function(
            "before => { const i = document.querySelector('.crop:last-child img'); return i.getAttribute('src') !== before "
            "&& !i.classList.contains('is-coming') }",
            arg=before,
        )
        settled(page)
        trace = draft_from_json(drafts(studio, trace_id, page).data).trace
        cut = page.locator(".crop:last-child img").evaluate("i => [i.naturalWidth, i.naturalHeight]")
        assert tuple(cut) == view_size(trace.view(2), trace.media)
