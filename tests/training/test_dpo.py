"""DPO on whole conversations: TRL's numbers on our batch, with the pictures of later turns."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from engine.trace import Observation, Step
from engine.training.dpo_config import DpoConfig

from .conftest import zoom_trace

CONFIG = DpoConfig(steps=2, batch_size=1, learning_rate=1e-3, rank=4, alpha=8, seed=3, checkpoint_every=1)


@pytest.fixture(scope="module")
def backbone(fresh_backbone):
    return fresh_backbone()


@pytest.fixture
def pairs(examples, pictures):
    """The right answer after the same look against a wrong one; and an answer after a look against a look that failed."""
    from engine.training.dataset import TrainingExample

    first, second = pictures.values()

    def pair(chosen, rejected, place):
        better, worse = (TrainingExample(trace, trace.example) for trace in (chosen, rejected))
        return replace(better, first_step=place), replace(worse, first_step=place, is_rejected=True)

    failed = zoom_trace(
        second, "18", first_step=Step("Where?", zoom_trace(second).steps[0].operation, Observation(error="no"))
    )
    return [pair(zoom_trace(first, "A1"), zoom_trace(first, "B2"), 1), pair(zoom_trace(second, "17"), failed, 0)]


def side(backbone, example, load_pictures):
    """Sum over its loss tokens of log p, by one plain forward of the bare network."""
    import torch

    from engine.training.dataset import Collator

    batch = Collator([example], backbone, load_pictures, 4096)([{"example": 0}])
    labels = batch.pop("labels")
    with torch.no_grad():
        logits = backbone.model(**batch).logits.float()
    said = torch.log_softmax(logits[:, :-1], -1).gather(-1, batch["input_ids"][:, 1:, None])[..., 0]
    return float(said[labels[:, 1:] != -100].sum())


def test_only_what_the_sides_say_after_they_part_carries_loss_failed_turns_too(backbone, pairs, load_pictures):
    from engine.training.dataset import encode

    tokenizer = backbone.tokenizer

    def learned(example):
        encoded = encode(example, backbone, load_pictures(example.trace.media))
        return tokenizer.decode(encoded.ids[encoded.labels != -100])

    (chosen, rejected), (whole, failing) = pairs
    assert "A1" in learned(chosen) and "disc is small" not in learned(chosen)
    assert "B2" in learned(rejected) and "disc is small" not in learned(rejected)
    assert learned(whole).count("<tool_call>") == 1
    assert learned(failing).count("<tool_call>") == 2 and "Where?" in learned(failing)


def test_the_loss_is_that_of_the_paper_and_the_better_side_gains(backbone, pairs, load_pictures, tmp_path):
    from engine.training.dpo import run_dpo

    seen = []
    before = [[side(backbone, one, load_pictures) for one in pair] for pair in pairs[:1]]
    done = run_dpo(
        backbone,
        pairs[:1],
        replace(CONFIG, steps=3),
        load_pictures=load_pictures,
        on_metric=lambda step, total, numbers: seen.append(dict(numbers)),
        should_stop=lambda: False,
        checkpoint_dir=tmp_path,
    )
    assert (done.steps, done.is_stopped) == (3, False)
    assert seen[0]["loss"] == pytest.approx(math.log(2), abs=1e-4)  # the adapter is where it began
    assert seen[0]["margin"] == pytest.approx(0, abs=1e-4)
    with backbone.lease.held(), backbone.adapters.answering_with_training():
        after = [[side(backbone, one, load_pictures) for one in pair] for pair in pairs[:1]]
    gains = [[b - a for a, b in zip(one, other, strict=True)] for one, other in zip(before, after, strict=True)]
    assert gains[0][0] > gains[0][1]
    assert set(backbone.adapters.peft.peft_config) == {"default"}  # TRL's copy is gone
    margin = CONFIG.beta * (gains[0][0] - gains[0][1])
    assert margin > seen[-1]["margin"] > 0  # the last is told before the last step
    with backbone.lease.held():
        backbone.adapters.drop_training()
    assert backbone.adapters.peft is None


def test_the_pictures_of_later_turns_count(backbone, pairs, load_pictures):
    from engine.training.dataset import IGNORED, Collator
    from engine.training.dpo import PairCollator

    chosen, rejected = zip(*pairs, strict=True)
    collator = PairCollator(pairs, Collator([*chosen, *rejected], backbone, load_pictures, 4096))
    batch = collator([{"example": 0}, {"example": 1}])
    assert len(batch["input_ids"]) == 4
    # Two sides of two views each, and a third attempt that failed brought none.
    assert len(batch["image_grid_thw"]) == 8
    assert batch["completion_mask"].sum(1).min() > 0 and "labels" not in batch
    assert IGNORED not in batch["input_ids"]
