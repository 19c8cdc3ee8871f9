"""Selective sample replay: what teaches takes the place of what does not."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.replay import ReplayBuffer, batch_of


def weight(group: tuple[str, float]) -> float:
    return group[1]


def rng(seed: int = 0) -> random.Random:
    return random.Random(seed)


def test_uniform_groups_give_way_to_earlier_informative_ones():
    buffer = ReplayBuffer(capacity=8, max_age=10)
    first, replayed = batch_of([("a", 0.5), ("b", 0.0)], weight, buffer, 1, rng())
    assert (first, replayed) == ([("a", 0.5), ("b", 0.0)], 0)  # nothing to replay yet: the uniform one fills up
    second, replayed = batch_of([("c", 0.0), ("d", 0.25)], weight, buffer, 2, rng())
    assert (second, replayed) == ([("d", 0.25), ("a", 0.5)], 1)
    third, replayed = batch_of([("e", 0.0), ("f", 0.0), ("g", 0.0)], weight, buffer, 3, rng())
    assert replayed == 2  # each kept group at most once
    assert sorted(third)[:2] == [("a", 0.5), ("d", 0.25)]
    assert third[2][1] == 0.0


def test_groups_are_drawn_by_their_advantage():
    buffer = ReplayBuffer(capacity=8, max_age=10)
    buffer.add("strong", 0.9, 1)
    buffer.add("weak", 0.1, 1)
    drawn = Counter(buffer.draw(1, rng(seed))[0] for seed in range(2000))
    assert drawn["strong"] / 2000 == pytest.approx(0.9, abs=0.03)
    buffer.exponent = 2.0  # 0.81 : 0.01
    drawn = Counter(buffer.draw(1, rng(seed))[0] for seed in range(2000))
    assert drawn["strong"] / 2000 == pytest.approx(0.81 / 0.82, abs=0.02)


def test_old_groups_and_too_many_leave():
    buffer = ReplayBuffer(capacity=2, max_age=3)
    for step, name in enumerate("abc", 1):
        buffer.add(name, 1.0, step)
    assert [one.group for one in buffer.kept] == ["b", "c"]
    buffer.forget_before(6)
    assert [one.group for one in buffer.kept] == ["c"]


def test_without_capacity_nothing_is_replayed():
    buffer = ReplayBuffer(capacity=0, max_age=3)
    batch_of([("a", 1.0)], weight, buffer, 1, rng())
    assert batch_of([("b", 0.0)], weight, buffer, 2, rng()) == ([("b", 0.0)], 0)


def test_a_group_without_advantage_is_not_kept():
    with pytest.raises(ValueError, match="teaches nothing"):
        ReplayBuffer(capacity=2, max_age=3).add("a", 0.0, 1)


@given(st.lists(st.lists(st.sampled_from([0.0, 0.2, 0.9]), min_size=1, max_size=6), max_size=8), st.integers(0, 9))
def test_a_batch_is_whole_holds_all_that_is_new_and_nothing_twice(steps, capacity):
    buffer = ReplayBuffer(capacity=capacity, max_age=3)
    for step, weights in enumerate(steps):
        fresh = [(f"{step}.{k}", value) for k, value in enumerate(weights)]
        batch, replayed = batch_of(fresh, weight, buffer, step, rng(step))
        assert len(batch) == len(fresh) == len(set(batch))
        assert {group for group in fresh if group[1] > 0} <= set(batch)
        assert replayed == len([group for group in batch if group not in fresh])
        assert len(buffer.kept) <= capacity
