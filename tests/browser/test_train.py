"""The Train screen in a real browser, on a real (random-weight) model: a run from Start to Promote, stopping, going on
after a kill, and what the screen says where nothing can be trained."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.lab.bench.running import RunningStudio
from engine.store import Job
from tests.browser.curating import eventually
from tests.browser.live import LiveStudio
from tests.browser.models import small_model
from tests.browser.traces import clip_trace, picture_trace

_SMALL = (280, 224)
_SLOW_MS = 240_000


@pytest.fixture(scope="module")
def studio(
    running_studio: Callable[..., RunningStudio],
    random_model: Callable[[str], Path],
    chromium: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningStudio]:
    """A model that can be trained, and three accepted traces, one of which cannot be learned from."""
    model = small_model(random_model("qwen3_vl"), tmp_path_factory.mktemp("model") / "small")
    made = running_studio(STUDIO_MODEL=str(model), STUDIO_MAX_TOKENS="24", STUDIO_MAX_STEPS="1")
    with made.store() as store:
        media = made.media()
        for record in (picture_trace(store, media, 1, size=_SMALL), clip_trace(store, media, 2)):
            store.reviews.record(record.head_id, "ann", "accepted")
        spoilt = picture_trace(store, media, 3, size=_SMALL)
        head = store.revisions.get(spoilt.head_id)
        steps = tuple(dataclasses.replace(step, is_erroneous=True) for step in head.trace.steps)
        bad = store.revisions.append(spoilt.id, dataclasses.replace(head.trace, steps=steps), "ann", head.id)
        store.reviews.record(bad.id, "ann", "accepted")
    yield made.start()


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory, chromium: Any) -> Iterator[LiveStudio]:
    studio = LiveStudio(tmp_path_factory.mktemp("scripted"))
    yield studio
    studio.close()


def opened(page: Any, studio: RunningStudio | LiveStudio, query: str = "") -> Any:
    page.set_default_timeout(_SLOW_MS)
    page.goto(f"{studio.url}/train{query}")
    page.wait_for_selector("#train-basis .basis:not([hidden])")
    return page


def test_nothing_shows_through_the_foot(new_page: Callable[..., Any], scripted: LiveStudio) -> None:
    page = opened(new_page(1440, 900), scripted)
    strangers = page.evaluate(
        """() => {
          const bar = document.querySelector('.train .action-bar'), column = bar.parentElement, found = new Set();
          for (column.scrollTop = 0; ; column.scrollTop += 9) {
            const { left, right, top } = bar.getBoundingClientRect();
            for (let x = left + 4; x < right; x += 16)
              for (let y = top + 2; y < innerHeight; y += 7) {
                const there = document.elementFromPoint(x, y);
                if (there && !bar.contains(there)) found.add(there.outerHTML.slice(0, 80));
              }
            if (column.scrollTop + column.clientHeight >= column.scrollHeight - 1) return [...found];
          }
        }"""
    )
    assert strangers == []


def turn(page: Any, **knobs: object) -> None:
    if not page.locator("#train-steps input").is_visible():
        page.click("#train-advanced > button, #train-advanced button")
        page.wait_for_selector("#train-steps input:visible")
    for name, value in knobs.items():
        page.fill(f"#train-{name} input", str(value))


def hold_nothing_out(page: Any) -> None:
    page.click("#train-held-out input")
    page.click("[role=option]:has-text('Nothing')")
    page.wait_for_selector("#train-count input", state="hidden")


def start(page: Any) -> None:
    page.wait_for_selector("#train-start:enabled")
    page.click("#train-start")


def wait_for_state(page: Any, *states: str) -> None:
    page.wait_for_selector(", ".join(f"#train-status .job[data-state={state}]" for state in states))


def newest(studio: RunningStudio) -> Job:
    with studio.store() as store:
        return store.jobs.list(limit=1)[0]


def steps_done(studio: RunningStudio, job_id: str) -> list[int]:
    with studio.store() as store:
        return [event.step for event in store.jobs.events(job_id, kind="metric") if event.step is not None]


def test_a_run_is_started_watched_from_another_page_promoted_and_taken_back(
    studio: RunningStudio, new_page: Callable[..., Any], axe: Callable[[Any], list[str]]
) -> None:
    page = opened(new_page(), studio)
    page.wait_for_selector(".basis-summary:visible")
    assert "2of 3 accepted traces" in page.inner_text(".basis-head").replace("\n", "")
    page.click(".basis-summary")
    assert "each one is erroneous" in page.inner_text(".basis-objections")

    turn(page, rate=7)
    page.wait_for_selector("#train-start-plan .plan-problem:has-text('between 0 and 1')")
    assert page.is_disabled("#train-start")
    turn(page, rate=0.001, steps=4)
    page.wait_for_selector("#train-start-plan .plan-text:has-text('4 steps over 1 trace')")
    assert "1 trace held out to measure on" in page.inner_text("#train-start-plan")
    page.click("#train-probe")
    page.wait_for_selector("#train-probe-plan .plan-text:has-text('4 steps of')")
    assert page.get_attribute(".basis-link", "href") == "curate?status=accepted"
    start(page)
    wait_for_state(page, "queued", "running", "done")
    page.close()

    later = opened(new_page(color_scheme="dark"), studio)
    wait_for_state(later, "done")
    later.wait_for_selector("#train-promote:enabled")
    assert later.locator("#train-curves .curves-chart").count() == 3
    assert "in step 1," in later.get_attribute("#train-curves .curves-plot", "aria-label")
    assert "0.0%" in later.inner_text("#train-comparison")
    assert "1 example of your own, held out before" in later.inner_text("#train-comparison")

    job = newest(studio)
    with studio.store() as store:
        (adapter,) = store.adapters.list()
        learned_from = set(store.jobs.revision_ids(job.id))
        accepted = {revision.id for revision in store.reviews.accepted()}
    assert (job.state, job.revision_count) == ("done", 1)
    assert learned_from < accepted
    assert steps_done(studio, job.id) == [1, 2, 3, 4]
    assert (adapter.job_id, adapter.metrics["before"]["n"], adapter.metrics["after"]["n"]) == (job.id, 1, 1)

    later.click("#train-promote")
    later.wait_for_selector("#train-promote-anyway-plan .plan-problem:has-text('the one example')")
    assert later.get_attribute("#train-promote-anyway", "aria-describedby") == "train-promote-anyway-plan"
    later.click("#train-leave")
    later.wait_for_selector("#train-doubt", state="hidden")
    assert later.is_enabled("#train-promote")
    later.click("#train-promote")
    later.click("#train-promote-anyway")
    later.wait_for_selector("#train-live .who.is-adapted")
    assert adapter.name in later.inner_text("#train-live")
    assert axe(later) == []
    with studio.store() as store:
        live = store.adapters.live()
    assert live is not None and live.id == adapter.id
    later.click("#train-demote")
    later.wait_for_selector("#train-live .who:not(.is-adapted)")
    with studio.store() as store:
        assert store.adapters.live() is None

    later.click("#train-elsewhere > button, #train-elsewhere .label-wrap")
    later.click("#train-merge")
    later.wait_for_selector("#train-status a:has-text('merged weights')", state="attached")
    later.wait_for_selector("#train-merge-plan .plan-text:has-text('Merged')")
    merged = later.request.get(f"{studio.url}/train/merged/{adapter.id}.zip")
    assert merged.ok and b"model.safetensors" in merged.body()

    later.once("dialog", lambda dialog: dialog.dismiss())
    later.click("#train-discard")
    assert later.is_enabled("#train-promote")
    later.once("dialog", lambda dialog: dialog.accept())
    later.click("#train-discard")
    later.wait_for_selector("#train-promote:disabled")
    assert "discarded" in later.inner_text("#train-runs")
    assert not (studio.home / "artifacts" / adapter.path).exists()


def a_worse_run(studio: RunningStudio) -> str:
    """A run whose adapter got 8 of 12 held-out examples wrong that were right before, as its job leaves it in the store."""
    held_out = {"kind": "accepted", "name": "share", "limit": None, "count": 12, "seed": 0, "sha256": None}
    config = {
        "name": "too eager",
        "sft": {"steps": 3},
        "evaluation": {"source": held_out, "answerer": {"adapter": None}},
    }
    with studio.store() as store:
        job = store.jobs.create("sft", config, {}, {})
        store.jobs.claim(job.id)
        media = studio.media()
        for position in range(12):
            record = picture_trace(store, media, 100 + position, size=_SMALL)
            example = store.traces.get(record.id).example
            store.attempts.begin(job.id, position, example, "text", None)
            for number, score in enumerate((1.0, float(position >= 8))):
                head = store.revisions.get(record.head_id).trace
                steps = (*head.steps[:-1], dataclasses.replace(head.steps[-1], answer="right" if score else "wrong"))
                made = store.traces.record(dataclasses.replace(head, steps=steps), author="tiny", example=example)
                store.attempts.record(
                    job.id,
                    position,
                    number,
                    trace_id=made.id,
                    score=score,
                    hit=None,
                    has_operation=True,
                    operation_errors=0,
                    is_empty=False,
                    tokens=20,
                    cpu_s=0.1,
                )
        for when, accuracy in (("before", 1.0), ("after", 4 / 12)):
            told = {
                "when": when,
                "policy": "tiny",
                "n": 12,
                "accuracy": accuracy,
                "stderr": 0.1,
                "rapr": 1.0,
                "tokens": 240,
            }
            store.jobs.add_event(job.id, None, "evaluation", told)
        store.adapters.record("too eager", "adapters/nowhere", job.id, "small", "hash", {"steps": 3})
        store.jobs.set_state(job.id, "done", "3 steps done")
    return job.id


def test_an_adapter_that_is_worse_is_questioned_with_what_it_got_wrong(
    studio: RunningStudio, new_page: Callable[..., Any], axe: Callable[[Any], list[str]]
) -> None:
    job_id = a_worse_run(studio)
    page = opened(new_page(), studio, f"?job={job_id}")
    page.wait_for_selector(".comparison-verdict:has-text('Worse by 35 to 98 points.')")
    changed = page.locator(".comparison-examples .differing")
    assert changed.count() == 8 and page.locator(".comparison-same .differing").count() == 4
    assert "before: right ✓" in changed.first.inner_text() and "after: wrong ✗" in changed.first.inner_text()
    changed.first.scroll_into_view_if_needed()
    page.wait_for_function("document.querySelector('.comparison-examples .differing-picture').naturalWidth > 0")
    changed.first.locator("summary").click()
    page.wait_for_selector(".differing-sides .card >> nth=3")
    assert page.locator(".differing-side-name").all_inner_texts() == ["before", "after"]
    page.click("#train-promote")
    page.wait_for_selector(
        "#train-doubt .plan-problem:has-text('Too eager is worse by 35 to 98 points, on 12 held-out')"
    )
    assert axe(page) == []
    page.click("#train-leave")
    page.fill("#train-name input, #train-name textarea", "eager 2")
    page.click("#train-rename")
    page.wait_for_selector(".plan-text:has-text('Promote lets eager 2')")
    page.click(".job-more summary")
    with page.expect_download() as log:
        page.click(".job-links a:has-text('whole log')")
    assert '"evaluation"' in Path(log.value.path()).read_text()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth === 390")


def test_a_run_of_rl_shows_its_curves_and_leaves_an_adapter(
    studio: RunningStudio, new_page: Callable[..., Any], axe: Callable[[Any], list[str]]
) -> None:
    page = opened(new_page(390, 844), studio)
    assert not page.locator("#train-rollouts input").is_visible()
    page.click("#train-kind label:has-text('GRPO')")
    page.wait_for_selector("#train-rollouts input:visible")
    assert not page.locator("#train-passes input").is_visible()
    assert "Curiosity pays" in page.inner_text("#train-kind")
    page.fill("#train-rollouts input", "1")
    page.wait_for_selector("#train-start-plan .plan-problem:has-text('Rollouts must be a whole number from 2')")
    assert page.is_disabled("#train-start")
    for name, value in {"rollouts": 2, "queries": 1, "rl-steps": 2}.items():
        page.fill(f"#train-{name} input", str(value))
    hold_nothing_out(page)
    page.wait_for_selector("#train-start-plan .plan-text:has-text('4 rollouts, from the adapter that answers')")
    start(page)
    wait_for_state(page, "done")
    page.wait_for_selector("#train-curves .curves-chart >> nth=3")  # drawn with the next look at the job's rows
    assert page.locator("#train-curves .curves-chart").count() == 4
    labels = page.locator("#train-curves .curves-plot").evaluate_all("all => all.map(one => one.ariaLabel)")
    assert "The threshold is 30.0%." in labels[1]
    samples = page.locator("#train-rollout-samples .rollouts-item")
    page.wait_for_selector("#train-rollout-samples .rollouts-item >> nth=1")
    assert samples.locator(".rollouts-step").all_inner_texts() == ["step 2", "step 1"]
    assert samples.evaluate_all("all => all.map(one => one.open)") == [True, False]
    samples.nth(1).locator("summary").click()
    page.wait_for_function("() => document.querySelectorAll('.rollouts-item[open]').length === 2")
    assert samples.nth(1).locator(".rollouts-attempt").count() in (1, 2)
    assert "reward 0.00" in samples.nth(1).inner_text()  # random weights are never right
    picture = samples.nth(1).locator("img")
    picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.rollouts-picture')].every(one => one.naturalWidth > 0)"
    )
    assert "Curiosity-driven RL on " in page.inner_text("#train-status")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert axe(page) == []
    job = newest(studio)
    with studio.store() as store:
        assert store.adapters.list()[0].job_id == job.id
    assert (job.kind, steps_done(studio, job.id)) == ("grpo", [1, 2])


def test_stop_acts_within_a_step_and_a_killed_run_goes_on_by_itself(
    studio: RunningStudio, new_page: Callable[..., Any]
) -> None:
    page = opened(new_page(390, 844), studio)
    hold_nothing_out(page)
    turn(page, steps=5000)
    start(page)
    page.wait_for_selector("#train-status .job-foot:has-text('of 5000')")
    job = newest(studio)
    page.click("#train-stop")
    eventually(lambda: newest(studio).state in ("stopping", "stopped"), True)
    asked_at = steps_done(studio, job.id)[-1]
    wait_for_state(page, "stopped")
    assert steps_done(studio, job.id)[-1] <= asked_at + 1
    assert "the adapter so far is kept" in page.inner_text("#train-status")

    page.click("#train-resume")
    eventually(lambda: steps_done(studio, job.id)[-1] > asked_at + 1, True, within_s=240)
    studio.kill()
    studio.start()
    killed_at = max(steps_done(studio, job.id))
    opened(page, studio, f"?job={job.id}")
    eventually(lambda: steps_done(studio, job.id)[-1] > killed_at, True, within_s=240)
    page.wait_for_selector("#train-status .job-foot:has-text('taken up again 2 times')")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.click("#train-stop")
    wait_for_state(page, "stopped")
    assert page.locator("#train-runs li").count() == 4
    page.click("#train-runs li:last-child button")
    wait_for_state(page, "done")
    page.wait_for_function("id => !location.search.includes(id)", arg=job.id)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_script_cannot_be_trained_and_the_screen_says_so(
    scheme: str,
    scripted: LiveStudio,
    new_page: Callable[..., Any],
    axe: Callable[[Any], list[str]],
) -> None:
    page = opened(new_page(390, 844, color_scheme=scheme), scripted)
    page.wait_for_selector("#train-start-plan .plan-text:has-text('a script cannot be trained')")
    for name in ("start", "stop", "promote", "discard"):
        assert page.is_disabled(f"#train-{name}")
    assert page.locator("#train-kind input[value=sft]").is_checked()
    assert "Nothing is accepted yet" in page.inner_text("#train-basis")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert axe(page) == []
    for room in ("evaluate", "data"):
        page.goto(f"{scripted.url}/{room}")
        page.wait_for_selector(".commands-row")
        assert "python -m engine" in page.inner_text(".commands")
        assert axe(page) == []
