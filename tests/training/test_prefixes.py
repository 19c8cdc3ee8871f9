"""Advantages token by token: worked by hand, and what holds for any group."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.training.prefixes import forks, prefix_advantages

LOOK, ANSWER, LEFT, RIGHT = 1, 2, 3, 4


def test_who_looks_is_compared_with_who_looks() -> None:
    """Two look, at the left and at the right, and are right; two answer at once and are wrong: std sqrt(1/3)."""
    found = prefix_advantages([[LOOK, LEFT], [LOOK, RIGHT], [ANSWER], [ANSWER]], [1.0, 1.0, 0.0, 0.0])
    deviation = math.sqrt(1 / 3) + 1e-6
    # To look: 1 less the others' 1/3. Where: 1 less the other looker's 1, drawn to 1/3 that counts for two: (1 + 2/3) / 3.
    looked = [(1 - 1 / 3) / deviation, (1 - 5 / 9) / deviation]
    assert found[0] == pytest.approx(looked) and found[1] == pytest.approx(looked)
    assert found[2] == pytest.approx([-2 / 3 / deviation]) and found[3] == found[2]
    centred = prefix_advantages([[LOOK, LEFT], [LOOK, RIGHT], [ANSWER], [ANSWER]], [1, 1, 0, 0], is_normalised=False)
    assert centred[0] == pytest.approx([2 / 3, 4 / 9]) and centred[2] == pytest.approx([-2 / 3])


def test_a_baseline_stays_where_nobody_else_went() -> None:
    found = prefix_advantages([[1, 5, 6], [2, 5, 6], [3, 5, 6]], [1.0, 0.0, 0.5])
    assert found[0] == pytest.approx([0.75 / (0.5 + 1e-6)] * 3)
    assert found[1] == pytest.approx([-0.75 / (0.5 + 1e-6)] * 3) and found[2] == [0.0] * 3


def test_an_end_that_others_go_on_from_is_no_token_of_theirs() -> None:
    found = prefix_advantages([[1], [1, 2], [1, 2]], [1.0, 0.0, 0.0])
    assert [len(row) for row in found] == [1, 2, 2]
    assert found[1][1] == pytest.approx((0.0 - 0.5) / (math.sqrt(1 / 3) + 1e-6))  # all three share the first


def test_a_fork_is_where_those_who_had_said_the_same_part() -> None:
    """Three look and one answers; of the three, two say the same place and then differ; who is alone has no fork."""
    said = [[LOOK, LEFT, 5, 7], [LOOK, LEFT, 6, 7], [LOOK, RIGHT, 5], [ANSWER, 5, 7]]
    assert forks(said) == [
        [True, True, True, False],
        [True, True, True, False],
        [True, True, False],
        [True, False, False],
    ]
    # Two to a branch: four part into two, but not three into two.
    assert forks(said, 2) == [[True, False, False, False]] * 2 + [[True] + [False] * 2] * 2
    assert forks([[LOOK, LEFT], [LOOK, LEFT]]) == [[False, False]] * 2


GROUPS = st.lists(
    st.tuples(st.lists(st.integers(0, 1), min_size=1, max_size=5), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=2,
    max_size=8,
)


@given(GROUPS)
def test_a_token_is_judged_by_what_stood_before_it(group: list[tuple[list[int], float]]) -> None:
    said, totals = [tokens for tokens, _ in group], [total for _, total in group]
    found = prefix_advantages(said, totals)
    assert [len(row) for row in found] == [len(tokens) for tokens in said]
    if len(set(totals)) == 1:
        assert not any(value for row in found for value in row)
    # Whatever a rollout says from a token on, that token's advantage is the same.
    changed = prefix_advantages([[*said[0][:-1], 9], *said[1:]], totals)
    assert changed[0] == found[0]
    # A token that the group tells nothing of is said by all who said the same before, and a fork is no other's.
    for own, row in zip(said, forks(said), strict=True):
        for place, is_fork in enumerate(row):
            there = {tokens[place] for tokens in said if tokens[:place] == own[:place] and len(tokens) > place}
            assert is_fork == (len(there) > 1)
