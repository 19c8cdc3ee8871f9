"""What a study consists of: dependencies, sources that share nothing, and how long it will take."""

from __future__ import annotations

import dataclasses
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.evaluation import benchmarks
from engine.lab.study.left import expected_s, seconds_left
from engine.lab.study.plan import BENCHMARKS, ROWS, SOURCES, Draw, Evaluate, Grpo, Sizes, plan, ready
from engine.lab.world.scenes import SEEDS


@given(st.integers(1, 4))
def test_every_need_stands_before_who_needs_it_and_names_are_unique(seeds):
    parts = plan(Sizes(seeds=seeds))
    seen: set[str] = set()
    for part in parts:
        assert set(part.needs) <= seen
        assert part.name not in seen
        seen.add(part.name)


@given(st.integers(1, 3), st.randoms(use_true_random=False))
def test_whatever_order_parts_end_in_all_can_be_done(seeds, rng):
    parts = plan(Sizes(seeds=seeds))
    done: list[str] = []
    while can := ready(parts, done):
        done.append(rng.choice(can).name)
    assert set(done) == {part.name for part in parts}


def test_what_is_busy_does_not_begin_again_and_nothing_begins_too_early():
    parts = plan(Sizes(seeds=1))
    first = ready(parts, (), ("trajectories-mini-vstar",))
    assert {part.name for part in first} >= {"trajectories-mini-tally", "test-mini-mv"}
    assert "trajectories-mini-vstar" not in {part.name for part in first}
    assert all(not part.needs for part in first)


def test_rows_have_their_runs():
    evaluations = [part for part in plan(Sizes()) if isinstance(part, Evaluate)]
    counts = {row: sum(part.row == row for part in evaluations) for row in ROWS}
    assert counts == dict.fromkeys(ROWS, 1) | {"full": 3, "no-curiosity": 3}
    assert [part.is_operating for part in evaluations if part.row == "no-operations"] == [False]
    runs = {part.row: part for part in plan(Sizes()) if isinstance(part, Grpo)}
    assert (runs["full"].start_from, runs["full"].is_curious) == ("sft", True)
    assert (runs["no-curiosity"].start_from, runs["no-curiosity"].is_curious) == ("sft", False)
    assert (runs["no-warm-start"].start_from, runs["no-warm-start"].is_curious) == (None, True)
    assert (runs["no-corrections"].start_from, runs["no-corrections"].is_curious) == ("sft-no-corrections", True)


def scene_seeds(purpose: str) -> range:
    """All scene seeds that a source can reach, however many examples are drawn."""
    source = SOURCES[purpose]
    stride = benchmarks.SEED_STRIDE
    first = SEEDS[source.split][source.seed * stride]
    return range(first, first + stride)


@pytest.mark.parametrize(("one", "two"), combinations(SOURCES, 2))
def test_trajectories_practice_and_test_share_no_seed(one, two):
    assert not set(scene_seeds(one)) & set(scene_seeds(two))


def test_nothing_that_trains_draws_from_the_test_split():
    splits = {purpose: source.split for purpose, source in SOURCES.items() if source.split != "train"}
    assert splits == {"test": "test", "held-out": "test", "development": "validation"}
    for part in plan(Sizes()):
        if not isinstance(part, (Draw, Evaluate)):
            assert not any(need.startswith("test-") for need in part.needs)
        if isinstance(part, Evaluate):
            assert set(part.needs) >= {f"test-{name}" for name in BENCHMARKS}


@pytest.mark.parametrize(
    ("name", "value"), [("seeds", 0), ("rollouts", 1), ("rl_learning_rate", 1.5), ("sft_passes", 0), ("max_turns", 0)]
)
def test_impossible_sizes_are_refused_by_name(name, value):
    with pytest.raises(InvalidInput, match=name):
        Sizes(**{name: value})


def test_time_left_is_what_the_parts_are_expected_to_take_scaled_by_what_they_took():
    sizes = Sizes(seeds=1)
    parts = [part for part in plan(sizes) if isinstance(part, Grpo)]
    expected = expected_s(parts[0], sizes)
    assert seconds_left(parts, sizes, {}, {}, 1) == pytest.approx(4 * expected)
    assert seconds_left(parts, sizes, {}, {}, 2) == pytest.approx(2 * expected)
    # One took twice as long: the other three will too, and the second is half done.
    finished, running = {parts[0].name: 2 * expected}, {parts[1].name: (0.5, expected)}
    assert seconds_left(parts, sizes, finished, running, 1) == pytest.approx(2.5 * 2 * expected)
    # However many processes: the longest that is left.
    assert seconds_left(parts, sizes, finished, running, 50) == pytest.approx(2 * expected)
    assert seconds_left(parts, sizes, {part.name: 1.0 for part in parts}, {}, 2) == 0


def test_sizes_are_plain_json():
    assert Sizes(**Sizes(seeds=2).as_json()) == dataclasses.replace(Sizes(), seeds=2)
