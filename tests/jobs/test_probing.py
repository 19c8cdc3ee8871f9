"""What a run will take, by its first steps: measured on the run's own traces, and nothing is left of it but the figures."""

from __future__ import annotations

import dataclasses

import pytest

from engine.jobs.expected import Expected
from engine.jobs.kinds import GRPO, PROBE, SFT
from engine.jobs.running import checkpoint_folder, queue_job, run_job
from engine.media import MediaFolder
from engine.training.grpo_config import GrpoConfig
from engine.training.sft_config import SftConfig

from .test_measuring import HALF, LIMITS, backbone, workshop  # noqa: F401
from .training import kind_of

CONFIG = SftConfig(passes=9, batch_size=1, rank=2, alpha=4, seed=3)


@pytest.fixture
def probed(workshop):  # noqa: F811
    """probed(kind, config, **how it is run): the job, ended, and what it found."""
    from engine.jobs.probing import ProbeKind
    from ui.training.desk import training_kinds

    media = MediaFolder(workshop.artifacts / "media")
    kind = ProbeKind(workshop, media, LIMITS, training_kinds(workshop))
    store = workshop.store

    def make(name, config, job=None, **options):
        if job is None:
            job = queue_job(store, kind, kind.plan(name, kind_of(workshop, config).plan(config, held_out=HALF), HALF))
        ended = run_job(store, workshop.artifacts, {PROBE: kind}, store.jobs.claim(job.id), **options)
        told = store.jobs.last_event(job.id, "probe")
        return ended, None if told is None else Expected.from_json(told.data)

    return make


def test_a_run_costs_its_steps_and_its_measuring_and_nothing_else_is_left(workshop, probed):  # noqa: F811
    traces = sum(workshop.store.traces.counts().values())
    job, found = probed(SFT, CONFIG)
    assert job.state == "done", job.message
    assert found.items == job.revision_count and not found.too_long
    assert 0 < found.step_s < 60 and found.measuring_s > 0 and found.free_bytes > 0 <= found.memory_bytes
    assert found.seconds(10) - found.seconds(4) == pytest.approx(6 * found.step_s)
    assert found.seconds(0) == found.measuring_s
    store = workshop.store
    assert (store.adapters.list(), list(store.attempts.of(job.id))) == ([], [])
    assert sum(store.traces.counts().values()) == traces
    assert not checkpoint_folder(workshop.artifacts, job.id).exists()


def test_what_is_too_long_is_named_before_anything_is_started(workshop, probed):  # noqa: F811
    from engine.training.dataset import encode
    from engine.training.snapshot import example_of

    store = workshop.store
    learned = kind_of(workshop, CONFIG).plan(CONFIG, held_out=HALF).revision_ids
    short = store.revisions.get(learned[0]).trace
    wordy = dataclasses.replace(short.steps[-1], thought="I look and look. " * 20)
    record = store.traces.record(dataclasses.replace(short, steps=(*short.steps[:-1], wordy)), author="tiny")
    store.reviews.record(record.head_id, "ada", "accepted")
    example = example_of(store, store.revisions.get(record.head_id))
    tokens = len(encode(example, workshop.backbone, workshop.load_pictures(short.media)).ids)
    job, found = probed(SFT, dataclasses.replace(CONFIG, max_tokens=tokens - 1))
    assert job.state == "done", job.message
    assert found.too_long == ({"name": record.head_id, "tokens": tokens},)
    assert found.items == len(learned)


def test_rl_is_probed_by_rolling_out_and_taken_up_again_after_a_stop(workshop, probed):  # noqa: F811
    config = GrpoConfig(
        steps=50, queries_a_step=1, rollouts=2, micro_batch_size=2, max_turns=1, max_tokens=8, max_turn_tokens=4, rank=2
    )
    asked = []

    def close_at_the_first_step():
        asked.append(True)
        return len(asked) > 1

    job, found = probed(GRPO, config, is_closing=close_at_the_first_step)
    assert job.state == "interrupted" and found is None
    job, found = probed(GRPO, config, job=job)
    assert job.state == "done", job.message
    assert "for 50 steps" in job.message and found.step_s > 0
