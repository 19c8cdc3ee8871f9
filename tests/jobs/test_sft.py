"""Jobs on a real store: snapshot, events, before and after, adapter, stop, close, kill and resume."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.drivers.streaming import stream
from engine.errors import InvalidInput
from engine.jobs.kinds import SFT
from engine.jobs.running import checkpoint_folder, curve, resume_job
from engine.jobs.worker import Worker
from engine.reasoning import Finished, Limits
from engine.store import Store
from engine.trace import Example, Step, Trace
from engine.training.sft_config import SftConfig

from .training import queue, run, train

if TYPE_CHECKING:
    from engine.jobs.workshop import Workshop

CONFIG = SftConfig(steps=3, batch_size=1, learning_rate=2e-3, rank=4, alpha=8, checkpoint_every=1, seed=3)


@pytest.fixture(scope="module")
def backbone(fresh_backbone):
    """Shared by all tests here: each must leave it as it was, which is part of what they test."""
    return fresh_backbone()


@pytest.fixture
def workshop(backbone, examples, load_pictures, tmp_path):
    yield (shop := make_workshop(backbone, examples, load_pictures, tmp_path))
    assert not backbone.lease.is_held
    assert backbone.adapters.peft is None
    shop.store.close()


def make_workshop(backbone, examples, load_pictures, home: Path) -> Workshop:
    """Two accepted traces and one that is not."""
    from engine.jobs.workshop import Workshop

    store = Store(home / "annotations.db")
    for example in examples:
        record = store.traces.record(example.trace, author="tiny", example=example.example)
        store.reviews.record(record.head_id, "ada", "accepted")
    store.traces.record(examples[0].trace, author="tiny")
    return Workshop(store, backbone, home / "artifacts", load_pictures, lambda job: evaluate)


def evaluate(when, policy, is_cancelled):
    """One real attempt of a few tokens; what it says shows which adapter answered."""
    pictures = evaluate.pictures
    media = tuple(loaded.media for loaded in list(pictures.values())[:1])
    limits = Limits(max_steps=1, max_tokens=4)
    *_, last = stream(policy, Example("What?", media), pictures, limits, is_cancelled=is_cancelled)
    assert isinstance(last, Finished)
    return {"accuracy": 0.5, "n": 1, "policy": last.trace.policy}


@pytest.fixture(autouse=True)
def _pictures(pictures):
    evaluate.pictures = pictures


def test_a_job_from_accepted_traces_to_a_recorded_adapter(workshop):
    store = workshop.store
    seen: list[tuple] = []
    job = train(workshop, CONFIG, name="first", on_event=lambda *event: seen.append(event))
    assert (job.state, job.progress) == ("done", 1.0)
    assert job.message == "3 steps done; 50.0% right before, 50.0% after (n = 1)"
    assert list(store.jobs.revision_ids(job.id)) == [revision.id for revision in store.reviews.accepted()]
    assert job.config["sft"] == CONFIG.as_json()
    assert job.config["evaluation"] is None  # nothing was held out; the workshop measures all the same
    assert job.config["backbone"]["quantization"] == "4bit"
    assert job.seeds == {"seed": 3}
    assert {"torch", "trl", "peft", "python"} <= job.versions.keys()

    events = store.jobs.events(job.id)
    assert [event.kind for event in events] == [
        "evaluation",
        "log",
        "metric",
        "metric",
        "metric",
        "evaluation",
        "adapter",
    ]
    assert [(event.step, event.kind, event.data) for event in events] == [(s, k, dict(d)) for s, k, d in seen]
    before, after = (event.data for event in events if event.kind == "evaluation")
    assert (before["when"], after["when"]) == ("before", "after")
    assert after["policy"] == f"{before['policy']}+first"
    assert [step for step, _ in curve(store, job.id)] == [1, 2, 3]
    assert events[4].data["left_s"] == pytest.approx(before["seconds"])

    (adapter,) = store.adapters.list()
    assert (adapter.name, adapter.job_id, adapter.base_hash) == ("first", job.id, workshop.backbone.base_hash)
    assert adapter.metrics["before"]["accuracy"] == 0.5
    assert adapter.metrics["first_loss"] == curve(store, job.id)[0][1]
    assert sorted(p.name for p in (workshop.artifacts / adapter.path).iterdir()) >= [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert not checkpoint_folder(workshop.artifacts, job.id).exists()


def test_there_must_be_something_to_learn_from(workshop, examples):
    store = workshop.store
    trace = examples[0].trace
    hopeless = Trace(trace.question, trace.media, trace.views[:1], (Step("cut off"),), "max_tokens", "tiny", "studio")
    record = store.traces.record(hopeless, author="tiny")
    with pytest.raises(InvalidInput, match="none of the 1 traces can be learned from; the first: it has no step"):
        queue(workshop, CONFIG, revision_ids=[record.head_id])
    with pytest.raises(InvalidInput, match="accept some traces first"):
        queue(workshop, CONFIG, revision_ids=[])
    store.reviews.record(record.head_id, "ada", "accepted")
    job = queue(workshop, CONFIG)
    assert job.revision_count == 2
    assert [left["revision"] for left in job.config["left_out"]] == [record.head_id]


def test_a_stopped_job_keeps_what_it_has_and_goes_on_where_it_was(workshop, tmp_path):
    store = workshop.store
    job = queue(workshop, CONFIG)

    def stop_after_one(step, kind, data):
        if (step, kind) == (1, "metric"):
            store.jobs.request_stop(job.id)

    ended = run(workshop, job, on_event=stop_after_one)
    assert (ended.state, len(curve(store, job.id))) == ("stopped", 2)
    assert ended.message == "stopped after 2 of 3 steps; the adapter so far is kept"
    (partial,) = store.adapters.list()
    assert (partial.metrics["is_stopped"], partial.metrics["steps"], partial.metrics["after"]) == (True, 2, None)

    resume_job(store, job.id)
    assert run(workshop, job).state == "done"
    kinds = [event.kind for event in store.jobs.events(job.id)]
    assert kinds.count("metric") == 3
    assert kinds.count("evaluation") == 2  # "before" was not measured twice
    undisturbed = train(workshop, CONFIG)
    assert curve(store, job.id) == curve(store, undisturbed.id)


def test_a_job_whose_training_was_over_only_measures_again(workshop):
    store = workshop.store
    job = queue(workshop, CONFIG)
    is_over = []

    def note(step, kind, data):
        if (step, kind) == (3, "metric"):
            is_over.append(True)

    ended = run(workshop, job, is_closing=lambda: bool(is_over), on_event=note)
    assert ended.state == "interrupted"
    assert store.adapters.list() == []
    assert run(workshop, job).state == "done"
    assert [event.kind for event in store.jobs.events(job.id)].count("metric") == 3


def test_what_is_too_long_is_left_out_and_named_before_the_first_step(workshop, examples, pictures):
    from engine.training.dataset import encode

    first = encode(examples[0], workshop.backbone, pictures)
    longer = dataclasses.replace(examples[0].trace.steps[0], thought="It is small. " * 40)
    trace = dataclasses.replace(examples[0].trace, steps=(longer, *examples[0].trace.steps[1:]))
    record = workshop.store.traces.record(trace, author="tiny")
    workshop.store.reviews.record(record.head_id, "ada", "accepted")
    job = train(workshop, dataclasses.replace(CONFIG, steps=1, max_tokens=len(first.ids) + 20))
    assert job.state == "done", job.message
    events = workshop.store.jobs.events(job.id)
    (note,) = (event for event in events if event.kind == "note")
    assert record.head_id in note.data["text"] and "is left out" in note.data["text"]
    assert events.index(note) < next(k for k, event in enumerate(events) if event.kind == "metric")
    nobody = train(workshop, dataclasses.replace(CONFIG, steps=1, max_tokens=10))
    assert (nobody.state, "nothing to train on" in nobody.message) == ("failed", True)


def test_a_stop_while_measuring_comes_at_once(workshop):
    from engine.jobs.workshop import Workshop

    job = queue(workshop, CONFIG)
    store = workshop.store

    def slow(when, policy, is_cancelled):
        store.jobs.request_stop(job.id)
        for _ in range(200):
            if is_cancelled():
                return {"accuracy": None, "n": 0}
            time.sleep(0.02)
        raise AssertionError("was not cancelled")

    shop = Workshop(store, workshop.backbone, workshop.artifacts, workshop.load_pictures, lambda job: slow)
    ended = run(shop, job)
    assert (ended.state, ended.message) == ("stopped", "stopped before the first step")


def test_an_error_ends_the_job_with_a_sentence_and_leaves_the_backbone_free(workshop):
    from engine.jobs.workshop import Workshop

    def lose(media):
        raise RuntimeError("the disk is gone")

    broken = Workshop(workshop.store, workshop.backbone, workshop.artifacts, lose)
    job = run(broken, queue(workshop, CONFIG))
    assert (job.state, "the disk is gone" in job.message) == ("failed", True)
    (error,) = workshop.store.jobs.events(job.id, kind="error")
    assert "Traceback" in error.data["traceback"]


def test_a_job_for_another_backbone_says_so(workshop, fresh_backbone):
    from engine.jobs.workshop import Workshop

    job = queue(workshop, CONFIG)
    other = Workshop(workshop.store, fresh_backbone(quantization="none"), workshop.artifacts, workshop.load_pictures)
    ended = run(other, job)
    assert ended.state == "failed"
    assert "different: quantization" in ended.message


def make_worker(workshop: Workshop, **options) -> Worker:
    from ui.training.desk import training_kinds

    return Worker(workshop.store, workshop.artifacts, training_kinds(workshop), poll_s=0.05, **options)


def wait_for(condition, timeout_s=120):
    deadline = time.time() + timeout_s
    while not condition():
        assert time.time() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_the_worker_runs_one_job_after_another_and_survives_errors(workshop):
    store = workshop.store
    one = SftConfig(**CONFIG.as_json() | {"steps": 1})
    strange = store.jobs.create("dream", {}, {}, {})
    broken = store.jobs.create(SFT, {}, {}, {})  # its configuration lacks everything
    first, second = queue(workshop, one), queue(workshop, one)
    worker = make_worker(workshop)
    assert worker.start() == []
    wait_for(lambda: store.jobs.get(second.id).state == "done")
    assert worker.close(timeout_s=30)
    assert store.jobs.get(first.id).finished_at <= store.jobs.get(second.id).started_at
    assert store.jobs.get(strange.id).state == "failed"
    assert "kind 'dream'" in store.jobs.get(strange.id).message
    assert store.jobs.get(broken.id).state == "failed"


def test_a_closed_studio_goes_on_at_the_next_start(workshop):
    store = workshop.store
    job = queue(workshop, CONFIG)
    worker = make_worker(workshop)
    worker.start()
    wait_for(lambda: curve(store, job.id))
    assert worker.close(timeout_s=60)
    interrupted = store.jobs.get(job.id)
    assert (interrupted.state, "goes on at the next start" in interrupted.message) == ("interrupted", True)

    worker = make_worker(workshop)
    assert [again.id for again in worker.start()] == [job.id]
    wait_for(lambda: store.jobs.get(job.id).state == "done")
    assert worker.close(timeout_s=30)
    assert len(store.jobs.events(job.id, kind="metric")) == 3


KILLED = """
import sys, os, signal
sys.path.insert(0, {root!r})
from pathlib import Path
from tests.training.conftest import picture, small_budgets
from tests.jobs.test_sft import CONFIG, evaluate
from tests.jobs.training import train
from engine.backbone.loading import load_backbone
from engine.store import Store
from engine.jobs.workshop import Workshop
import dataclasses, torch
torch.set_num_threads(1)
pictures = {{loaded.media.sha256: loaded for loaded in (picture(1), picture(2))}}
evaluate.pictures = pictures
backbone = dataclasses.replace(load_backbone({model!r}, "4bit", "cpu", "studio"), budgets=small_budgets())
home = Path({home!r})
workshop = Workshop(Store(home / "annotations.db"), backbone, home / "artifacts",
                    lambda media: {{m.sha256: pictures[m.sha256] for m in media}}, lambda job: evaluate)
def die(step, kind, data):
    if (step, kind) == (2, "metric"):  # after the checkpoint of step 1, before that of step 2
        os.kill(os.getpid(), signal.SIGKILL)
train(workshop, CONFIG, on_event=die)
"""


def test_a_killed_process_finds_its_job_again(workshop, random_model, tmp_path):
    store = workshop.store
    root = str(Path(__file__).parent.parent.parent)
    code = KILLED.format(root=root, model=str(random_model("qwen3_vl")), home=str(tmp_path))
    killed = subprocess.run(
        [sys.executable, "-c", code], cwd=root, env=os.environ | {"OMP_NUM_THREADS": "1"}, timeout=500
    )
    assert killed.returncode == -signal.SIGKILL
    (job,) = store.jobs.list("running")
    assert len(curve(store, job.id)) == 2

    worker = make_worker(workshop)
    assert [again.id for again in worker.start()] == [job.id]
    wait_for(lambda: store.jobs.get(job.id).state in ("done", "failed"))
    assert worker.close(timeout_s=30)
    assert store.jobs.get(job.id).state == "done"
    steps = [event.step for event in store.jobs.events(job.id, kind="metric")]
    assert steps == [1, 2, 2, 3]  # step 2 ran again, from the checkpoint of step 1
    undisturbed = train(workshop, CONFIG)
    assert curve(store, job.id) == curve(store, undisturbed.id)


def test_a_stop_that_its_process_did_not_live_to_see_is_kept(workshop):
    store = workshop.store
    job = queue(workshop, CONFIG)
    store.jobs.claim(job.id)
    store.jobs.request_stop(job.id)
    worker = make_worker(workshop)
    assert worker.start() == []
    assert worker.close(timeout_s=30)
    assert store.jobs.get(job.id).state == "stopped"


def test_the_worker_does_not_hold_up_answers(workshop, pictures):
    """Between two steps a visitor is answered, while the job runs in the worker's thread."""
    import torch

    from engine.policies.local import LocalPolicy

    store, answers = workshop.store, []
    job = queue(workshop, CONFIG)
    worker = make_worker(workshop)
    worker.start()
    wait_for(lambda: curve(store, job.id))

    def visit():
        answers.append(evaluate("before", LocalPolicy(workshop.backbone), lambda: False))

    visitor = threading.Thread(target=visit)
    visitor.start()
    visitor.join(60)
    assert len(answers) == 1
    wait_for(lambda: store.jobs.get(job.id).state == "done")
    assert worker.close(timeout_s=30)
    assert torch.is_grad_enabled()
