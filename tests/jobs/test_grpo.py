"""RL as a job: its questions, its events, its alarm, stopped while rolling out, and from a warm start."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import InvalidInput, NotFound
from engine.jobs.kinds import GRPO
from engine.jobs.running import curve, resume_job
from engine.store import Store
from engine.trace import Example
from engine.training.grpo_config import GrpoConfig
from tests.training.conftest import plain_trace, zoom_trace
from tests.training.grpo_runs import CONFIG

from .training import queue, run, train

ONE = GrpoConfig(**CONFIG.as_json() | {"steps": 2, "queries_a_step": 1, "checkpoint_every": 1})


@pytest.fixture(scope="module")
def backbone(undecided):
    """Shared by all tests here: each must leave it as it was."""
    return undecided("4bit")


@pytest.fixture
def workshop(backbone, pictures, load_pictures, tmp_path):
    from engine.jobs.workshop import Workshop

    store = Store(tmp_path / "annotations.db")
    first, second = pictures.values()
    for trace, gold in ((zoom_trace(first), "KX7421"), (plain_trace(first), None), (plain_trace(second, "17"), None)):
        record = store.traces.record(trace, author="tiny", example=replace(trace.example, answer=gold))
        store.reviews.record(record.head_id, "ada", "accepted")
    yield Workshop(store, backbone, tmp_path / "artifacts", load_pictures)
    assert not backbone.lease.is_held
    if backbone.adapters.live_name is not None:
        with backbone.lease.held():
            backbone.adapters.demote()
    assert backbone.adapters.peft is None
    store.close()


def test_a_job_from_accepted_questions_to_a_recorded_adapter(workshop):
    from engine.training.snapshot import rl_examples_of

    store = workshop.store
    job = train(workshop, ONE, name="curious")
    assert (job.kind, job.state, job.message) == (GRPO, "done", "2 steps done")
    # Two traces asked the same of one picture: the question counts once, with its gold answer.
    questions = rl_examples_of(store, workshop.artifacts, job)
    assert len(questions) == 2
    assert {one.answer for one in questions} == {"KX7421", "17"}
    kinds = [event.kind for event in store.jobs.events(job.id)]
    assert kinds == ["log", "rollouts", "metric", "rollouts", "metric", "adapter"]
    for event in store.jobs.events(job.id, kind="rollouts"):
        told = event.data
        assert (told["question"], told["media"]["kind"]) == ("What is written on the red disc?", "image")
        totals = [one["total"] for one in told["attempts"]]
        assert totals == sorted(totals, reverse=True) and len(totals) in (1, 2)
        for one in told["attempts"]:
            assert one["total"] == pytest.approx(one["correctness"] + one["bonus"] + one["penalty"])
            answer = one["steps"][-1].get("answer")
            assert one["correctness"] == float(answer == told["gold"])
    (log,) = store.jobs.events(job.id, kind="log")
    assert "2 questions, 2 steps of 1 x 4 rollouts; reward of the variant 'paper'" in log.data["text"]
    assert len(curve(store, job.id, "rapr")) == len(curve(store, job.id, "operation_errors")) == 2
    (adapter,) = store.adapters.list()
    assert adapter.metrics["variant"] == "paper"
    assert adapter.metrics["last_rapr"] == curve(store, job.id, "rapr")[-1][1]
    assert job.config["grpo"] == ONE.as_json()


def test_it_stops_while_rolling_out_and_goes_on(workshop, backbone):
    store = workshop.store
    job = queue(workshop, ONE)

    def stop_after_one(step, kind, data):
        if (step, kind) == (1, "metric"):
            store.jobs.request_stop(job.id)

    ended = run(workshop, job, on_event=stop_after_one)
    assert (ended.state, ended.message) == ("stopped", "stopped after 1 of 2 steps; the adapter so far is kept")
    assert len(curve(store, job.id)) == 1
    resume_job(store, job.id)
    assert run(workshop, job).state == "done"
    undisturbed = train(workshop, ONE)
    for name in ("loss", "reward", "rapr", "uniform_share"):
        assert curve(store, job.id, name) == curve(store, undisturbed.id, name)


def test_questions_of_a_file_are_kept_beside_the_job_and_never_change(workshop, pictures):
    from engine.training.snapshot import media_of, rl_examples_of

    store = workshop.store
    first = next(iter(pictures.values()))
    asked = [
        Example("How many?", (first.media,), "three", other_answers=("3",), rule="number", source="mine/1"),
        Example("How many?", (first.media,)),
    ]
    job = queue(workshop, ONE, examples=asked)
    assert job.config["examples"]["count"] == 1
    assert [left["reason"] for left in job.config["left_out"]] == ["its answer is not known"]
    assert rl_examples_of(store, workshop.artifacts, job) == asked[:1]
    assert media_of(store, workshop.artifacts, job) == {first.media.sha256}
    (path,) = (workshop.artifacts / "examples").iterdir()
    path.write_bytes(path.read_bytes() + b" ")
    ended = run(workshop, job)
    assert (ended.state, "were changed" in ended.message) == ("failed", True)
    with pytest.raises(InvalidInput, match="nothing to roll out"):
        queue(workshop, ONE, examples=asked[1:])
    with pytest.raises(InvalidInput, match="nothing to roll out"):
        queue(workshop, ONE, revision_ids=[])


def test_it_starts_from_what_answers_or_from_an_adapter_by_its_id(workshop, backbone):
    from engine.jobs.promotion import promote

    store = workshop.store
    one = GrpoConfig(**ONE.as_json() | {"steps": 1})
    train(workshop, one)
    (warm,) = store.adapters.list()
    from_live = GrpoConfig(**one.as_json() | {"start_from": "live"})
    assert queue(workshop, from_live).config["grpo"]["start_from"] == ""  # nothing but the backbone answers
    promote(store, backbone, workshop.artifacts, warm.id)
    job = queue(workshop, from_live)
    assert job.config["grpo"]["start_from"] == warm.id
    assert run(workshop, job).state == "done"
    with pytest.raises(NotFound):
        queue(workshop, GrpoConfig(**one.as_json() | {"start_from": "nobody"}))


def test_the_learning_trap_sets_off_an_alarm_once(workshop, monkeypatch):
    """The steps are made up; what watches them is real."""
    from engine.training import grpo
    from engine.training.on_backbone import Trained

    rates = [0.6] * 5 + [0.3, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0] + [0.9] * 5

    def pretend(backbone, examples, config, *, on_metric, **_):
        backbone.adapters.start_training(lora_config(2, 2))
        for step, rate in enumerate(rates, 1):
            on_metric(step, len(rates), {"rapr": rate, "reward": 0.0, "seconds": 0.1})
        return Trained(len(rates), len(rates), 0, 1.0, False)

    from engine.backbone.adapters import lora_config

    monkeypatch.setattr(grpo, "run_grpo", pretend)
    job = train(workshop, GrpoConfig(**ONE.as_json() | {"steps": len(rates)}))
    (alarm,) = workshop.store.jobs.events(job.id, kind="alarm")
    assert alarm.step == 10
    assert "learning trap" in alarm.data["text"]
    assert "alarm is over" in workshop.store.jobs.events(job.id, kind="log")[-1].data["text"]
