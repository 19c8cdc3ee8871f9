"""Before and after on held-out examples: the same ones, as attempts with traces, by the parent and by the new adapter."""

from __future__ import annotations

import dataclasses
import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from engine.errors import InvalidInput
from engine.evaluation.held_out import HeldOut, HeldOutSet, hold_out
from engine.jobs.measuring import before_and_after, held_out_measuring, measured
from engine.jobs.running import curve
from engine.media import MediaFolder
from engine.reasoning import Limits
from engine.store import Store
from engine.training.sft_config import SftConfig

from .training import queue, run, train

if TYPE_CHECKING:
    from engine.jobs.workshop import Workshop

CONFIG = SftConfig(steps=1, batch_size=1, rank=2, alpha=4, seed=3)
LIMITS = Limits(max_steps=1, max_tokens=4)
HALF = HeldOut(share=0.5)


@pytest.fixture(scope="module")
def backbone(fresh_backbone):
    return fresh_backbone()


@pytest.fixture
def workshop(backbone, tmp_path):
    yield (shop := make_workshop(backbone, tmp_path))
    assert not backbone.lease.is_held
    backbone.adapters.demote()
    assert backbone.adapters.peft is None
    shop.store.close()


def make_workshop(backbone, home: Path) -> Workshop:
    """Four accepted traces, each about a picture of its own."""
    from engine.jobs.workshop import Workshop
    from tests.training.conftest import zoom_trace

    store, media = Store(home / "annotations.db"), MediaFolder(home / "artifacts" / "media")
    for seed in range(4):
        noise = np.random.default_rng(seed).integers(0, 255, (8, 10, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((140, 112), Image.Resampling.NEAREST).save(out := io.BytesIO(), "PNG")
        loaded = media.take(out.getvalue())
        store.media.record(loaded.media, "", len(out.getvalue()))
        record = store.traces.record(zoom_trace(loaded, f"K{seed}"), author="tiny")
        store.reviews.record(record.head_id, "ada", "accepted")
    measuring = held_out_measuring(store, media, home / "artifacts", LIMITS)
    return Workshop(store, backbone, home / "artifacts", media.pictures, measuring)


def test_a_share_is_set_apart_measured_twice_and_never_learned_from(workshop):
    from engine.training.snapshot import media_of

    store = workshop.store
    accepted = store.reviews.accepted()
    job = train(workshop, CONFIG, held_out=HALF, name="first")
    assert job.state == "done", job.message
    held_out = HeldOutSet.from_json(job.config["evaluation"])
    wanted = hold_out([{one.trace.media[0].sha256} for one in accepted], 0.5)
    assert held_out is not None and set(held_out.revision_ids) == {accepted[k].id for k in wanted}
    learned = set(store.jobs.revision_ids(job.id))
    assert learned | set(held_out.revision_ids) == {one.id for one in accepted} and learned

    before, after = before_and_after(store, job.id)
    assert [one.example_key for one in before] == [one.example_key for one in after]
    assert len(before) == len(wanted)
    shown = {store.traces.get(one.trace_id).example.media[0].sha256 for one in before + after}
    assert not shown & media_of(store, workshop.artifacts, job)
    assert {store.revisions.head(one.trace_id).trace.policy.partition("+")[2] for one in after} == {"first"}
    assert {store.revisions.head(one.trace_id).trace.policy.partition("+")[2] for one in before} == {""}
    golds = {store.traces.get(one.trace_id).example.answer for one in before}
    assert golds == {accepted[k].trace.answer for k in wanted}  # what was approved counts as right
    comparison = measured(store, job.id)
    assert comparison is not None and (comparison.n, comparison.before) == (len(wanted), 0.0)
    assert job.message.startswith("1 steps done; 0.0% right before, ")
    ((step, loss),) = curve(store, job.id, "validation_loss")
    assert step == 1 and 5 < loss < 20  # random weights: about the logarithm of the vocabulary's size


def test_a_run_that_was_stopped_asks_no_held_out_example_twice(workshop):
    store = workshop.store
    job = queue(workshop, CONFIG, held_out=HALF)
    inner = workshop.measuring(job)

    def stop_in_the_middle(when, policy, is_cancelled):
        return inner(when, policy, lambda: store.jobs.request_stop(job.id) is not None)

    ended = run(dataclasses.replace(workshop, measuring=lambda job: stop_in_the_middle), job)
    assert ended.state == "stopped"
    from engine.jobs.running import resume_job

    resume_job(store, job.id)
    assert run(workshop, job).state == "done"
    before, after = before_and_after(store, job.id)
    assert len(before) == len(after) == len(job.config["evaluation"]["revision_ids"])


def test_what_the_parent_learned_from_examines_nobody_and_is_said(workshop):
    from engine.jobs.promotion import promote

    store = workshop.store
    train(workshop, CONFIG, name="greedy")  # learns from everything, and then answers
    promote(store, workshop.backbone, workshop.artifacts, store.adapters.list()[0].id)
    job = queue(workshop, CONFIG, held_out=HALF)
    held_out = HeldOutSet.from_json(job.config["evaluation"])
    assert held_out is not None and held_out.answerer is not None
    assert held_out.answerer["adapter"] is None  # the backbone alone
    (note,) = job.config["notes"]
    assert "greedy" in note and "has learned from" in note

    from engine.training.grpo_config import GrpoConfig

    rl = GrpoConfig(steps=1, queries_a_step=1, rollouts=2, micro_batch_size=2, start_from="live")
    again = queue(workshop, rl, held_out=HALF)
    assert again.config["evaluation"] is None
    assert again.config["notes"] == ["nothing is held out: the adapter that it starts from has learned from all of it"]


def test_examples_of_another_set_that_were_learned_from_are_passed_over_and_named(workshop):
    store = workshop.store
    first, second = (store.traces.get(one.trace_id).example for one in store.reviews.accepted()[:2])
    with store.transaction():
        for example in (first, second):
            store.examples.record("mine", dataclasses.replace(example, answer="K9", source="mine/1"))
    learned = [store.reviews.accepted()[0].id]
    job = train(workshop, CONFIG, held_out=HeldOut("mine"), revision_ids=learned)
    assert job.state == "done", job.message
    for event in store.jobs.events(job.id, kind="evaluation"):
        assert (event.data["n"], event.data["passed_over"]["count"]) == (1, 1)
        assert event.data["passed_over"]["questions"] == [first.question]
    with pytest.raises(InvalidInput, match="there is neither a benchmark"):
        queue(workshop, CONFIG, held_out=HeldOut("theirs"))
