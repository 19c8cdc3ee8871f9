"""The whole loop in a real browser on the embedded reasoner: a sample is asked about, the trace approved, an adapter
trained on it, promoted, and it answers. Each stage is also looked up in the database.

Where the embedded weights are missing (a checkout in the middle of training them) the same loop runs on a random-weight
model of the same architecture. Random weights finish no thought, so there a person's trace is approved in place of the
model's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.embedded import weights_folder
from engine.lab.bench.running import RunningStudio
from engine.store import TraceRecord
from tests.browser.curating import eventually
from tests.browser.models import small_model
from tests.browser.traces import picture_trace

IS_EMBEDDED = (weights_folder() / "model.safetensors").is_file()
_PATIENCE_MS = 240_000
_STEPS = 3


@pytest.fixture(scope="module")
def studio(
    running_studio: Callable[..., RunningStudio],
    random_model: Callable[[str], Path],
    chromium: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RunningStudio]:
    if IS_EMBEDDED:
        yield running_studio(STUDIO_MODEL="tiny").start()
    else:
        model = small_model(random_model("qwen3_vl"), tmp_path_factory.mktemp("model") / "random")
        yield running_studio(STUDIO_MODEL=str(model), STUDIO_MAX_TOKENS="24", STUDIO_MAX_STEPS="2").start()


def ask_about_the_first_sample(page: Any, studio: RunningStudio) -> TraceRecord:
    """Asks and waits for the end; returns what was recorded."""
    page.goto(studio.url)
    page.click("#ask-samples li:first-child button")
    page.wait_for_selector(".source-svg")
    page.wait_for_selector("#ask-run:enabled")
    page.click("#ask-run")
    page.wait_for_selector("#ask-steps .card")
    page.wait_for_selector("#ask-answer [data-state=done]")
    with studio.store() as store:
        return store.traces.get(store.queue.page(limit=1).items[0].item.id)


def test_ask_approve_train_promote_ask(studio: RunningStudio, new_page: Callable[..., Any]) -> None:
    page = new_page()
    page.set_default_timeout(_PATIENCE_MS)

    first = ask_about_the_first_sample(page, studio)
    with studio.store() as store:
        head = store.revisions.get(first.head_id)
    assert head.number == 1 and head.trace.steps
    assert page.locator("#ask-steps .card").count() == len(head.trace.steps)
    assert first.policy_settings["adapter"] is None
    if IS_EMBEDDED:
        assert head.trace.stop_reason == "answered" and head.trace.has_operation
        approved = first
    else:
        with studio.store() as store:
            approved = picture_trace(store, studio.media(), size=(280, 224))

    page.goto(f"{studio.url}/curate?trace={approved.id}")
    page.wait_for_selector("#curate-approve:enabled")
    page.click("#curate-approve")
    with studio.store() as store:
        eventually(lambda: len(store.reviews.list(approved.id)), 1)
        (review,) = store.reviews.list(approved.id)
        assert (review.verdict, review.revision_id) == ("accepted", approved.head_id)
        assert [revision.id for revision in store.reviews.accepted()] == [approved.head_id]

    page.goto(f"{studio.url}/train")
    page.wait_for_selector("#train-start:enabled")
    page.click("#train-advanced button")
    page.wait_for_selector("#train-steps input:visible")
    page.fill("#train-steps input", str(_STEPS))
    page.click("#train-held-out input")
    page.click("[role=option]:has-text('mini-signs') >> nth=0")
    page.fill("#train-count input", "1")
    page.wait_for_selector(f"#train-start-plan .plan-text:has-text('{_STEPS} steps over 1 trace')")
    page.click("#train-start")
    page.wait_for_selector("#train-status .job[data-state=done]")
    page.wait_for_selector("#train-promote:enabled")
    with studio.store() as store:
        (job,) = store.jobs.list()
        metrics = store.jobs.events(job.id, kind="metric")
        (adapter,) = store.adapters.list()
        assert (job.state, store.jobs.revision_ids(job.id)) == ("done", (approved.head_id,))
        assert [event.step for event in metrics] == list(range(1, _STEPS + 1))
        assert all(event.data["loss"] > 0 for event in metrics)
        assert adapter.job_id == job.id
        assert {adapter.metrics[when]["n"] for when in ("before", "after")} == {1}

    page.click("#train-promote")
    page.click("#train-promote-anyway")  # one example tells nothing apart, and Promote says so
    page.wait_for_selector("#train-live .who.is-adapted")
    with studio.store() as store:
        live = store.adapters.live()
        assert live is not None and live.id == adapter.id

    second = ask_about_the_first_sample(page, studio)
    assert second.id != first.id
    assert second.policy_settings["adapter"] == adapter.name
    assert second.item.policy.endswith(f"+{adapter.name}")
    assert adapter.name in page.inner_text("#ask-answer")
