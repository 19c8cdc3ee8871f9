"""Promoting changes what answers at once, demoting restores it bit by bit, and the store always agrees."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from engine.errors import Conflict, InvalidInput, NotFound, Unavailable
from engine.store import Store
from engine.trace import Example, Media
from tests.training.test_sft import answer_logits, say, train_only


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
    from engine.jobs.promotion import record_training_adapter

    job = store.jobs.create("sft", {}, {}, {})
    train_only(backbone, examples, load_pictures, home / "checkpoints")
    adapter = record_training_adapter(
        store, backbone, home, folder="one", name="one", job_id=job.id, metrics={"steps": 3}
    )
    with backbone.lease.held():
        backbone.adapters.drop_training()
    return adapter


def test_promote_changes_the_answer_at_once_and_demote_restores_it_exactly(backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import demote, promote

    bare = answer_logits(backbone, pictures)
    said = say(backbone, pictures, 6)
    assert promote(store, backbone, home, adapter.id, "ada") == adapter
    assert store.adapters.live() == adapter
    assert backbone.adapters.live_name == "one"
    promoted = answer_logits(backbone, pictures)
    assert (promoted - bare).abs().max() > 1e-3
    demote(store, backbone, "ada")
    assert store.adapters.live() is None
    assert answer_logits(backbone, pictures).equal(bare)
    assert say(backbone, pictures, 6) == said
    promote(store, backbone, home, adapter.id)
    assert answer_logits(backbone, pictures).equal(promoted)
    demote(store, backbone)
    assert not backbone.lease.is_held


def test_a_restarted_studio_answers_with_what_was_live(backbone, fresh_backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import demote, load_live, promote

    promote(store, backbone, home, adapter.id)
    promoted = answer_logits(backbone, pictures)
    restarted = fresh_backbone()
    assert load_live(store, restarted, home) is None
    assert answer_logits(restarted, pictures).equal(promoted)
    demote(store, backbone)
    assert load_live(store, fresh_backbone(), home) is None


def test_an_adapter_of_other_weights_is_refused_and_said(backbone, fresh_backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import demote, load_live, promote

    promote(store, backbone, home, adapter.id)
    other = fresh_backbone("qwen2_5_vl")
    bare = answer_logits(other, pictures)
    with pytest.raises(Unavailable, match="was trained on other weights"):
        promote(store, other, home, adapter.id)
    assert "answers without it" in load_live(store, other, home)
    assert answer_logits(other, pictures).equal(bare)
    demote(store, backbone)


def test_the_same_weights_in_another_quantisation_take_it(fresh_backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import demote, promote

    unquantised = fresh_backbone(quantization="none")
    before = answer_logits(unquantised, pictures)
    promote(store, unquantised, home, adapter.id)
    assert (answer_logits(unquantised, pictures) - before).abs().max() > 1e-3
    demote(store, unquantised)


def test_an_adapter_answers_beside_what_is_live_and_neither_changes_the_other(backbone, store, home, adapter, pictures):
    import torch

    from engine.jobs.adapter_answering import AdapterAnswering
    from engine.jobs.promotion import demote, promote

    bare = answer_logits(backbone, pictures)
    promote(store, backbone, home, adapter.id)
    promoted = answer_logits(backbone, pictures)
    answering = AdapterAnswering(store, backbone, home)
    live = answering.choose("live")
    assert live == answering.choose(adapter.id) == answering.choose("one")
    with answering.open(live, None) as one, answering.open(answering.choose("base"), 0.5) as base:
        assert (one.policy.name, base.policy.name) == (f"{backbone.name}+one", backbone.name)
        assert base.policy.temperature == 0.5
        for _ in range(2):
            assert torch.equal(answer_logits(one.policy.backbone, pictures), promoted)
            assert torch.equal(answer_logits(base.policy.backbone, pictures), bare)
            assert torch.equal(answer_logits(backbone, pictures), promoted)
        demote(store, backbone)
        assert torch.equal(answer_logits(one.policy.backbone, pictures), promoted)
        assert torch.equal(answer_logits(backbone, pictures), bare)
    assert backbone.adapters.peft is None
    assert torch.equal(answer_logits(backbone, pictures), bare)
    with pytest.raises(NotFound, match="no adapter 'nobody'; those of this studio are"):
        answering.choose("nobody")
    with pytest.raises(Unavailable, match="cannot run on"), answering.open(live | {"backbone": {}}, None):
        pass


def test_a_promotion_that_cannot_be_recorded_does_not_happen(backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import promote

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
    assert answer_logits(backbone, pictures).equal(bare)


def test_discard_deletes_the_weights_and_keeps_the_record(backbone, store, home, adapter):
    from engine.jobs.promotion import demote, discard, promote

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
    from engine.jobs.promotion import promote

    missing = store.adapters.record("lost", "adapters/lost", None, backbone.name, adapter.base_hash, {})
    with pytest.raises(Unavailable, match="files of the adapter 'lost' are gone"):
        promote(store, backbone, home, missing.id)


@pytest.fixture(scope="module")
def second(backbone, store, home, adapter):
    """Another adapter for the same weights: the first with its sign turned."""
    from safetensors.torch import load_file

    weights = {k: -v if "lora_B" in k else v for k, v in load_file(home / adapter.path / WEIGHTS).items()}
    return copied(backbone, store, home, adapter, "second", weights)


WEIGHTS = "adapter_model.safetensors"


def copied(backbone, store, home, adapter, name, weights=None, configuration=None):
    """`adapter` under another name, with other files where they are given."""
    from safetensors.torch import save_file

    folder = home / "adapters" / name
    shutil.copytree(home / adapter.path, folder, dirs_exist_ok=True)
    if weights is not None:
        save_file(weights, folder / WEIGHTS)
    if configuration is not None:
        (folder / "adapter_config.json").write_text(configuration)
    return store.adapters.record(name, f"adapters/{name}", None, backbone.name, adapter.base_hash, {})


def test_a_second_adapter_takes_the_place_of_the_first(backbone, store, home, adapter, second, pictures):
    from engine.jobs.promotion import demote, promote

    bare = answer_logits(backbone, pictures)
    promote(store, backbone, home, adapter.id)
    first = answer_logits(backbone, pictures)
    promote(store, backbone, home, second.id)
    other = answer_logits(backbone, pictures)
    assert (other - first).abs().max() > 1e-3
    assert (other - bare).abs().max() > 1e-3
    promote(store, backbone, home, adapter.id)
    assert answer_logits(backbone, pictures).equal(first)
    assert backbone.adapters.live_name == "one"
    demote(store, backbone)
    assert answer_logits(backbone, pictures).equal(bare)
    assert backbone.adapters.peft is None


def damaged(home, adapter) -> dict:
    """What may be wrong with an adapter's files, and what is said of it: {kind: (weights, configuration, words)}."""
    import torch
    from safetensors.torch import load_file

    whole = load_file(home / adapter.path / WEIGHTS)
    configuration = json.loads((home / adapter.path / "adapter_config.json").read_text())
    name = next(iter(whole))
    return {
        "lacking": ({k: v for k, v in whole.items() if k != name}, None, "lacks 1 of"),
        "foreign": (whole | {"base_model.model.stranger.lora_A.weight": torch.zeros(2, 2)}, None, "has 1 that do not"),
        "misshapen": (whole | {name: torch.zeros(3, 3)}, None, "of another shape"),
        "not numbers": (whole | {name: torch.full_like(whole[name], torch.nan)}, None, "not numbers"),
        "other rank": (None, json.dumps(configuration | {"r": 2}), "of another shape"),
        "other layers": (None, json.dumps(configuration | {"target_modules": "nothing"}), "does not fit"),
        "no configuration": (None, "{", "cannot be read"),
    }


@pytest.mark.parametrize("live", [None, "one"])
def test_what_is_damaged_is_refused_by_name_and_what_answered_goes_on(live, backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import demote, promote

    if live:
        promote(store, backbone, home, adapter.id)
    before, promotions = answer_logits(backbone, pictures), store.adapters.promotions()
    for kind, (weights, configuration, words) in damaged(home, adapter).items():
        bad = copied(backbone, store, home, adapter, kind, weights, configuration)
        with pytest.raises(Unavailable, match=f"the adapter '{kind}'.*{words}"):
            promote(store, backbone, home, bad.id)
        assert backbone.adapters.live_name == live, kind
        assert answer_logits(backbone, pictures).equal(before), kind
    assert store.adapters.promotions() == promotions
    assert not backbone.lease.is_held
    demote(store, backbone)
    assert backbone.adapters.peft is None


def test_an_adapter_that_makes_no_numbers_is_tried_before_it_answers(backbone, store, home, adapter, pictures):
    import torch
    from safetensors.torch import load_file

    from engine.jobs.promotion import promote

    bare = answer_logits(backbone, pictures)
    huge = {k: torch.full_like(v, 3e38) for k, v in load_file(home / adapter.path / WEIGHTS).items()}
    bad = copied(backbone, store, home, adapter, "huge", huge)
    with pytest.raises(Unavailable, match="the adapter 'huge'.*no numbers"):
        promote(store, backbone, home, bad.id)
    assert answer_logits(backbone, pictures).equal(bare)


def test_promoting_again_after_the_file_was_cut_off_leaves_what_answers(backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import demote, promote

    once = copied(backbone, store, home, adapter, "once")
    promote(store, backbone, home, once.id)
    answering = answer_logits(backbone, pictures)
    os.truncate(home / once.path / WEIGHTS, 100)
    with pytest.raises(Unavailable, match="the adapter 'once' cannot be read"):
        promote(store, backbone, home, once.id)
    assert answer_logits(backbone, pictures).equal(answering)
    demote(store, backbone)


def test_a_damaged_adapter_keeps_no_studio_from_starting(backbone, fresh_backbone, store, home, adapter, pictures):
    from engine.jobs.promotion import demote, load_live, promote

    doomed = copied(backbone, store, home, adapter, "doomed")
    promote(store, backbone, home, doomed.id)
    os.truncate(home / doomed.path / WEIGHTS, 100)
    restarted = fresh_backbone()
    said = load_live(store, restarted, home)
    assert "the adapter 'doomed' cannot be read" in said and "answers without it" in said
    assert restarted.adapters.live_name is None
    assert answer_logits(restarted, pictures).equal(answer_logits(fresh_backbone(), pictures))
    demote(store, backbone)


def test_a_saved_adapter_names_no_path_of_this_disk(backbone, home, adapter):
    source = str(backbone.model.name_or_path)
    for file in (home / adapter.path).iterdir():
        for path in (source, str(home)):
            assert path.encode() not in file.read_bytes(), file.name
    configuration = json.loads((home / adapter.path / "adapter_config.json").read_text())
    assert configuration["base_model_name_or_path"] == backbone.name


# --- what Promote asks ------------------------------------------------------------------------------------------------


def examined(store: Store, before: list[float], after: list[float], compared_with: str | None = None):
    """An adapter of a run that was measured on as many examples as there are scores."""
    media = [Media(f"{position:064x}", "image", 10, 10) for position in range(len(before))]
    source = {"kind": "accepted", "name": "share", "limit": None, "count": len(before), "seed": 0, "sha256": None}
    answerer = {"name": "tiny", "adapter": compared_with}
    job = store.jobs.create("sft", {"evaluation": {"source": source, "answerer": answerer}}, {}, {})
    for position, medium in enumerate(media):
        store.attempts.begin(job.id, position, Example("What?", (medium,), "A"), "text", None)
        for number, scores in enumerate((before, after)):
            made = {"trace_id": None, "hit": None, "has_operation": True, "operation_errors": 0, "is_empty": False}
            store.attempts.record(job.id, position, number, score=scores[position], tokens=9, cpu_s=0.0, **made)
    for when in ("before", "after"):
        store.jobs.add_event(job.id, None, "evaluation", {"when": when, "n": len(before)})
    return store.adapters.record("new", "adapters/new", job.id, "tiny", "hash", {})


def test_promote_asks_where_it_is_worse_cannot_be_told_or_was_compared_with_another(tmp_path):
    from engine.jobs.promotion import doubt

    with Store(tmp_path / "annotations.db") as store:
        unmeasured = store.adapters.record("idle", "adapters/idle", None, "tiny", "hash", {})
        assert "was not measured" in (doubt(store, unmeasured) or "")
        better = examined(store, [0] * 8 + [1] * 2, [1] * 10)
        assert doubt(store, better) is None
        # 94% before and 69% after, on 16: d = -1 four times, so s = 0.447, and the interval is -25 -+ 2.13 * 11.2 points
        worse = examined(store, [1] * 15 + [0], [0] * 4 + [1] * 11 + [0])
        assert "not told apart with 16 examples: use about" in (doubt(store, worse) or "")
        much_worse = examined(store, [1] * 16, [0] * 8 + [1] * 8)
        assert doubt(store, much_worse) == "new is worse by 22 to 78 points, on 16 held-out examples"
        same = examined(store, [1, 0], [1, 0])
        assert "the same on all 2 examples" in (doubt(store, same) or "")

        store.adapters.promote(unmeasured.id)
        assert "idle answers by now" in (doubt(store, better) or "")
        against_it = examined(store, [0] * 8 + [1] * 2, [1] * 10, unmeasured.id)
        assert doubt(store, against_it) is None


def test_what_answered_before_is_known_and_names_are_told_apart(tmp_path):
    with Store(tmp_path / "annotations.db") as store:
        one, two = (store.adapters.record(name, f"adapters/{name}", None, "tiny", "h", {}) for name in ("one", "two"))
        assert store.adapters.previous() is None
        store.adapters.promote(one.id)
        assert store.adapters.previous() is None  # the backbone alone
        store.adapters.promote(two.id)
        assert store.adapters.previous() == one
        store.adapters.set_metrics(one.id, {"is_discarded": True})
        assert store.adapters.previous() is None
        assert store.adapters.rename(two.id, " signs, tuned ").name == "signs, tuned"
        for wrong, words in (("one", "another adapter"), ("  ", "1 to 80"), ("x" * 81, "1 to 80")):
            with pytest.raises(InvalidInput, match=words):
                store.adapters.rename(two.id, wrong)


def test_rolling_back_and_renaming_reach_what_answers(backbone, store, home, adapter):
    from engine.jobs.promotion import demote, promote, rename, roll_back

    second = store.adapters.record("two", adapter.path, adapter.job_id, backbone.name, backbone.base_hash, {})
    promote(store, backbone, home, adapter.id)
    promote(store, backbone, home, second.id)
    rename(store, backbone, second.id, "better")
    assert backbone.adapters.live_name == "better"
    assert roll_back(store, backbone, home) == adapter
    assert backbone.adapters.live_name == store.adapters.live().name == "one"
    demote(store, backbone)
