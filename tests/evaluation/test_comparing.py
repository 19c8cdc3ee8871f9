"""Two runs on the same examples, against numbers worked by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.comparing import compare


@dataclass(frozen=True)
class One:
    example_key: str
    score: float | None


def run(*scores: float | None) -> list[One]:
    return [One(f"{k:03}", score) for k, score in enumerate(scores)]


def test_by_hand():
    # d = 1, 1, 1, -1, 0, 0, 0, 0: mean 1/4, s^2 = (4 - 8/16) / 7 = 1/2, stderr = sqrt(1/2 / 8) = 1/4
    found = compare(run(0, 0, 0, 1, 1, 1, 0, 0), run(1, 1, 1, 0, 1, 1, 0, 0))
    assert (found.n, found.before, found.after, found.difference) == (8, 3 / 8, 5 / 8, 1 / 4)
    assert found.stderr == pytest.approx(1 / 4)
    assert found.high == pytest.approx(1 / 4 + 2.3646 / 4, rel=0.01)  # t(7)
    assert found.p == pytest.approx(2 * (1 + 4) / 16)  # one of four changed for the worse
    assert (found.gain, found.harm) == (3 / 8, 1 / 8)
    assert [(one.example_key, one.before, one.after) for one in found.changed][0] == ("003", 1, 0)
    assert found.needed == 63  # ((1.96 + 0.84) * 0.7071 / 0.25)^2 = 62.8
    assert found.words == "cannot be told apart with 8 examples: use about 63"


def test_better_worse_and_the_same():
    better = compare(run(*[0] * 20, *[1] * 80), run(*[1] * 100))
    assert better.words == "better by 12 to 28 points"
    assert compare(run(*[1] * 100), run(*[0] * 20, *[1] * 80)).words == "worse by 12 to 28 points"
    assert compare(run(1, 0), run(1, 0)).words == "the same on all 2 examples"
    assert compare(run(1), []).words == "they have no example in common"
    assert compare(run(0), run(1)).words == "cannot be told apart with 1 example"


def test_attempts_at_one_example_count_as_one_and_what_is_not_scored_not_at_all():
    before = [One("a", 0), One("a", 1), One("b", None), One("c", 1)]
    after = [One("a", 1), One("a", 1), One("b", 1), One("d", 0)]
    found = compare(before, after)
    assert (found.n, found.before, found.after) == (1, 0.5, 1)
    assert (found.only_before, found.only_after) == (1, 2)


@given(st.lists(st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 0.5, 1.0])), min_size=2, max_size=40))
def test_the_other_way_round_is_the_negative(pairs):
    before, after = (run(*some) for some in zip(*pairs, strict=True))
    one, other = compare(before, after), compare(after, before)
    assert one.difference == pytest.approx(-other.difference)
    assert one.difference == pytest.approx(one.gain - one.harm)
    assert (one.gain, one.harm, one.p, one.is_told_apart) == (other.harm, other.gain, other.p, other.is_told_apart)
    assert one.low == pytest.approx(-other.high) and not math.isnan(one.low)
