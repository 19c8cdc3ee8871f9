"""Moved boxes: what moves, what stays, and that a call and its crop go on agreeing."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.trace import Box, ZoomIn

SIDES = st.tuples(st.floats(0, 0.9), st.floats(0.02, 1)).filter(lambda pair: pair[0] + 0.02 < pair[1])


@given(SIDES, SIDES, st.integers(0, 999))
def test_each_side_moves_within_its_bounds(across, down, seed):
    from engine.training.moved import MOST_INWARDS, MOST_OUTWARDS, moved_box

    box = Box(across[0], down[0], across[1], down[1])
    new = moved_box(box, random.Random(seed))
    width, height = box.x2 - box.x1, box.y2 - box.y1
    outwards = (
        (box.x1 - new.x1) / width, (new.x2 - box.x2) / width, (box.y1 - new.y1) / height, (new.y2 - box.y2) / height,
    )  # fmt: skip
    assert all(-MOST_INWARDS - 1e-9 <= by <= MOST_OUTWARDS + 1e-9 for by in outwards)


@pytest.fixture
def zooming(examples):
    from engine.training.dataset import TrainingExample

    return next(
        TrainingExample(one.trace, one.example, "it")
        for one in examples
        if any(isinstance(step.operation, ZoomIn) for step in one.trace.steps)
    )


def move(example, load_pictures, seed):
    from engine.protocols import protocol_named
    from engine.training.moved import moved

    return moved(example, load_pictures(example.trace.media), protocol_named("studio"), seed)


def test_the_crop_is_what_the_moved_call_gives(zooming, load_pictures):
    """The zoom and its view move, all words stay; equal seeds move equally, and others otherwise."""
    from engine.operations import execute
    from engine.protocols import protocol_named

    once, again, other = (move(zooming, load_pictures, seed) for seed in ("1", "1", "2"))
    assert once == again != other and once != zooming
    before, after = zooming.trace, once.trace
    assert [step.thought for step in after.steps] == [step.thought for step in before.steps]
    assert after.answer == before.answer and len(after.views) == len(before.views)
    rule = protocol_named("studio").CROP_RULE
    shown = len(before.views) - sum(len(step.observation.views) for step in before.steps if step.observation)
    for step in after.steps:
        if step.operation is not None and step.observation is not None and step.observation.views:
            views = execute(step.operation, after.views[:shown], load_pictures(after.media), rule)
            assert views == after.views[shown : shown + len(views)]
            shown += len(views)


def test_what_is_not_learned_from_is_not_moved(zooming, load_pictures):
    steps = tuple(dataclasses.replace(step, is_erroneous=True) for step in zooming.trace.steps)
    wrong = dataclasses.replace(zooming, trace=dataclasses.replace(zooming.trace, steps=steps))
    assert move(wrong, load_pictures, "1") == wrong


def test_each_pass_has_another_variant():
    from engine.training.sft import example_order

    order = example_order(3, 7, 12, variants=2)
    assert [sorted(order[k : k + 3]) for k in (0, 3, 6, 9)] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [0, 1, 2]]
    assert [one % 3 for one in order] == example_order(3, 7, 12)


def test_a_variant_that_is_too_long_is_the_example_itself(zooming, fresh_backbone, load_pictures):
    from engine.training.dataset import Collator

    backbone = fresh_backbone()

    whole = Collator([zooming], backbone, load_pictures, 4096)([{"example": 0}])["input_ids"]

    def longer(example, pictures, k):
        steps = (dataclasses.replace(example.trace.steps[0], thought="Long. " * 50), *example.trace.steps[1:])
        return dataclasses.replace(example, trace=dataclasses.replace(example.trace, steps=steps))

    varied = Collator([zooming], backbone, load_pictures, 4096, variant=longer)([{"example": 1}])["input_ids"]
    kept = Collator([zooming], backbone, load_pictures, whole.shape[1], variant=longer)([{"example": 1}])["input_ids"]
    assert varied.shape[1] > whole.shape[1] and kept.tolist() == whole.tolist()
