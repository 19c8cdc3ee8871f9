"""Promoting changes what answers at once, demoting restores it bit by bit, and the store always agrees."""

from __future__ import annotations

import pytest
import torch

from engine.errors import Conflict, NotFound, Unavailable
from engine.store import Store
from engine.training.promotion import demote, discard, load_live, promote, record_training_adapter

from .test_sft import answer_logits, say, train_only


@pytest.fixture(scope="module")
def backbone(fresh_backbone):
    return fresh_backbone()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def store(home):
    with Store(home / "annotations.db") as store:
        yield store


@pytest.fixture(scope="module")
def adapter(backbone, examples, load_pictures, home, store):
    """A trained and recorded adapter; none is left in training."""
    job = store.jobs.create("sft", {}, {}, {})
    train_only(backbone, examples, load_pictures, home / "checkpoints")
    adapter = record_training_adapter(
        store, backbone, home, folder="one", name="one", job_id=job.id, metrics={"steps": 3}
    )
    with backbone.lease.held():
        backbone.adapters.drop_training()
    return adapter


def test_promote_changes_the_answer_at_once_and_demote_restores_it_exactly(backbone, store, home, adapter, pictures):
    bare = answer_logits(backbone, pictures)
    said = say(backbone, pictures, 6)
    assert promote(store, backbone, home, adapter.id, "ada") == adapter
    assert store.adapters.live() == adapter
    assert backbone.adapters.live_name == "one"
    promoted = answer_logits(backbone, pictures)
    assert (promoted - bare).abs().max() > 1e-3
    demote(store, backbone, "ada")
    assert store.adapters.live() is None
    assert torch.equal(answer_logits(backbone, pictures), bare)
    assert say(backbone, pictures, 6) == said
    promote(store, backbone, home, adapter.id)
    assert torch.equal(answer_logits(backbone, pictures), promoted)
    demote(store, backbone)
    assert not backbone.lease.is_held


def test_a_restarted_studio_answers_with_what_was_live(backbone, fresh_backbone, store, home, adapter, pictures):
    promote(store, backbone, home, adapter.id)
    promoted = answer_logits(backbone, pictures)
    restarted = fresh_backbone()
    assert load_live(store, restarted, home) is None
    assert torch.equal(answer_logits(restarted, pictures), promoted)
    demote(store, backbone)
    assert load_live(store, fresh_backbone(), home) is None


def test_an_adapter_of_other_weights_is_refused_and_said(backbone, fresh_backbone, store, home, adapter, pictures):
    promote(store, backbone, home, adapter.id)
    other = fresh_backbone("qwen2_5_vl")
    bare = answer_logits(other, pictures)
    with pytest.raises(Unavailable, match="was trained on other weights"):
        promote(store, other, home, adapter.id)
    assert "answers without it" in load_live(store, other, home)
    assert torch.equal(answer_logits(other, pictures), bare)
    demote(store, backbone)


def test_the_same_weights_in_another_quantisation_take_it(fresh_backbone, store, home, adapter, pictures):
    unquantised = fresh_backbone(quantization="none")
    before = answer_logits(unquantised, pictures)
    promote(store, unquantised, home, adapter.id)
    assert (answer_logits(unquantised, pictures) - before).abs().max() > 1e-3
    demote(store, unquantised)


def test_a_promotion_that_cannot_be_recorded_does_not_happen(backbone, store, home, adapter, pictures):
    bare = answer_logits(backbone, pictures)

    class Refusing:
        def __getattr__(self, name):
            return getattr(store.adapters, name)

        def promote(self, adapter_id, author=""):
            raise Unavailable("the disk is full")

    class Broken:
        adapters = Refusing()

    with pytest.raises(Unavailable, match="disk is full"):
        promote(Broken(), backbone, home, adapter.id)
    assert backbone.adapters.live_name is None
    assert not backbone.lease.is_held
    assert torch.equal(answer_logits(backbone, pictures), bare)


def test_discard_deletes_the_weights_and_keeps_the_record(backbone, store, home, adapter):
    job = store.jobs.create("sft", {}, {}, {})
    copied = home / "adapters" / "two"
    copied.mkdir()
    for file in (home / adapter.path).iterdir():
        (copied / file.name).write_bytes(file.read_bytes())
    doomed = store.adapters.record("two", "adapters/two", job.id, backbone.name, adapter.base_hash, {})
    promote(store, backbone, home, doomed.id)
    with pytest.raises(Conflict, match="is answering"):
        discard(store, home, doomed.id)
    demote(store, backbone)
    assert discard(store, home, doomed.id).metrics["is_discarded"] is True
    assert not copied.exists()
    with pytest.raises(Unavailable, match="was discarded"):
        promote(store, backbone, home, doomed.id)
    with pytest.raises(NotFound):
        promote(store, backbone, home, "nobody")
    assert (home / adapter.path).exists()


def test_files_that_are_gone_are_named(backbone, store, home, adapter):
    missing = store.adapters.record("lost", "adapters/lost", None, backbone.name, adapter.base_hash, {})
    with pytest.raises(Unavailable, match="files of the adapter 'lost' are gone"):
        promote(store, backbone, home, missing.id)
