"""The kind "dpo": pairs from corrections and choices, held out by picture, resumable."""

from __future__ import annotations

import dataclasses

import pytest

from engine.errors import InvalidInput
from engine.jobs.running import curve
from engine.store import Store
from engine.trace import Step
from engine.training.dpo_config import DpoConfig
from engine.training.preferring import pairs_of
from tests.training.conftest import zoom_trace

from .training import queue, run, train

CONFIG = DpoConfig(steps=3, batch_size=1, learning_rate=1e-3, rank=2, alpha=4, seed=3, checkpoint_every=1)


@pytest.fixture
def store(tmp_path, pictures):
    """A trace that a person corrected and accepted, and another question of which two attempts were compared, once as a tie."""
    first, second = pictures.values()
    with Store(tmp_path / "annotations.db") as store:
        made = store.traces.record(zoom_trace(first, "WRONG"), author="tiny")
        better = zoom_trace(first, "KX7421")
        head = store.revisions.append(made.id, better, "ada", made.head_id)
        store.reviews.record(head.id, "ada", "accepted")
        sides = [store.traces.record(zoom_trace(second, answer), author="tiny") for answer in ("17", "18", "19")]
        store.preferences.record(sides[0].head_id, sides[1].head_id, "ada")
        store.preferences.record(sides[0].head_id, sides[2].head_id, "ada", is_tie=True)
        yield store


def test_pairs_are_what_people_corrected_and_chose(store):
    edit, choice = pairs_of(store)
    assert (edit.kind, edit.chosen.trace.answer, edit.rejected.trace.answer, edit.first_step) == (
        "edit", "KX7421", "WRONG", 1,
    )  # fmt: skip
    assert (choice.kind, choice.chosen.trace.answer, choice.rejected.trace.answer) == ("choice", "17", "18")
    store.preferences.undo(store.preferences.list()[1].id)
    store.preferences.undo(store.preferences.list()[0].id)
    assert [one.kind for one in pairs_of(store)] == ["edit"]


def test_a_better_side_that_cannot_be_learned_from_makes_no_pair(store):
    head = store.reviews.accepted()[0]
    spoilt = dataclasses.replace(head.trace.steps[1], is_erroneous=True)
    steps = (head.trace.steps[0], spoilt, Step("So.", answer="KX7421"))
    bad = store.revisions.append(head.trace_id, dataclasses.replace(head.trace, steps=steps), "ada", head.id)
    store.reviews.record(bad.id, "ada", "accepted")
    assert [one.kind for one in pairs_of(store)] == ["choice"]


def test_a_job_learns_from_them_stops_and_goes_on(store, fresh_backbone, load_pictures, tmp_path):
    from engine.jobs.running import resume_job
    from engine.jobs.workshop import Workshop

    workshop = Workshop(store, fresh_backbone(), tmp_path / "artifacts", load_pictures)
    job = queue(workshop, CONFIG, name="preferring")
    assert list(store.jobs.revision_ids(job.id)) == [
        side.id for pair in pairs_of(store) for side in (pair.chosen, pair.rejected)
    ]

    def stop_after_one(step, kind, data):
        if (step, kind) == (1, "metric"):
            store.jobs.request_stop(job.id)

    assert run(workshop, job, on_event=stop_after_one).state == "stopped"
    resume_job(store, job.id)
    assert run(workshop, job).state == "done"
    undisturbed = train(workshop, CONFIG)
    for name in ("loss", "margin", "preferred_share"):
        assert curve(store, job.id, name) == curve(store, undisturbed.id, name) and len(curve(store, job.id, name)) == 3
    assert store.adapters.list()[-1].metrics["pairs"] == 2
    assert workshop.backbone.adapters.peft is None and not workshop.backbone.lease.is_held
    for preference in store.preferences.list():
        store.preferences.undo(preference.id)
    store.reviews.undo("ada")
    with pytest.raises(InvalidInput, match="no preference to learn from"):
        queue(workshop, CONFIG)
