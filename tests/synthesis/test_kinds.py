"""Shares are exact, kinds only where they are possible, the same seed the same plan."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.operations import CropRule
from engine.synthesis.kinds import CLIP_SHARES, PICTURE_SHARES, TEXT_SHARE, allot, is_possible, plan
from engine.trace import Box, Evidence

RULE = CropRule()
SMALL = Evidence(boxes=(Box(0.4, 0.5, 0.45, 0.53),))
HUGE = Evidence(boxes=(Box(0.01, 0.01, 0.98, 0.99),))
"""Nothing fits beside it, and nothing is four times as large."""
CLIP = Evidence(frames=(3, 4))


@given(st.integers(0, 5000), st.sampled_from([PICTURE_SHARES, CLIP_SHARES]))
def test_counts_miss_their_shares_by_less_than_one_and_sum_up(count, shares):
    counts = allot(count, shares)
    assert sum(counts.values()) == count
    assert all(abs(counts[kind] - count * share) < 1 for kind, share in shares.items())


def test_shares_worked_by_hand():
    assert allot(5500, PICTURE_SHARES) == {
        "single_pass": 1650,
        "recrop_once": 1100,
        "recrop_twice": 1100,
        "further_zoom": 1650,
    }
    # 7 * (.3, .2, .2, .3) = 2.1, 1.4, 1.4, 2.1: the one that is over goes to the larger remainder, named first
    assert allot(7, PICTURE_SHARES) == {"single_pass": 2, "recrop_once": 2, "recrop_twice": 1, "further_zoom": 2}
    assert allot(10, CLIP_SHARES) == {"single_pass": 9, "reselect": 1}


def test_a_plan_holds_the_papers_shares_of_pictures_clips_and_text():
    examples = [("a", SMALL)] * 150 + [("b", CLIP)] * 150
    planned = plan(examples, RULE, seed=3)
    pictures = Counter(one.kind for one in planned.trajectories if one.example < 150)
    clips = Counter(one.kind for one in planned.trajectories if one.example >= 150)
    assert pictures["text"] + clips["text"] == round(300 * TEXT_SHARE) == 80
    assert dict(pictures - Counter(text=300)) == allot(150 - pictures["text"], PICTURE_SHARES)
    assert dict(clips - Counter(text=300)) == allot(150 - clips["text"], CLIP_SHARES)
    assert planned == plan(examples, RULE, seed=3)
    assert planned != plan(examples, RULE, seed=4)


def test_what_is_large_is_answered_from_the_first_view():
    large = Evidence(boxes=(Box(0.1, 0.1, 0.6, 0.6),))
    planned = plan([("a", SMALL), ("b", None), ("c", large), ("d", SMALL)], RULE, text_share=0.5)
    assert [one.example for one in planned.trajectories if one.kind == "text"] == [1, 2]


def test_what_is_known_to_be_easy_is_answered_from_the_first_view_before_what_is_large():
    large = Evidence(boxes=(Box(0.1, 0.1, 0.6, 0.6),))
    planned = plan([("a", CLIP), ("b", SMALL), ("c", large), ("d", SMALL)], RULE, text_share=0.5, easy={1})
    assert [one.example for one in planned.trajectories if one.kind == "text"] == [1, 2]


def test_what_cannot_be_used_is_left_out_with_its_reason():
    planned = plan([(None, SMALL), ("b", None), ("c", SMALL)], RULE, text_share=0)
    assert [one.example for one in planned.trajectories] == [2]
    assert [index for index, _ in planned.left_out] == [0, 1]
    assert "no answer" in planned.left_out[0][1]
    assert "no evidence" in planned.left_out[1][1]


def test_kinds_go_where_they_are_possible():
    planned = plan([("a", HUGE)] * 5 + [("b", SMALL)] * 5, RULE, text_share=0)
    kinds = Counter(one.kind for one in planned.trajectories)
    # Of ten, two, two and three were due; the five examples with room give the scarce kinds first.
    assert kinds == {"single_pass": 5, "recrop_twice": 2, "recrop_once": 2, "further_zoom": 1}
    assert all(is_possible(one.kind, (HUGE, SMALL)[one.example >= 5], RULE) for one in planned.trajectories)


def test_more_trajectories_than_examples_go_round_again_with_other_seeds():
    planned = plan([("a", SMALL), ("b", SMALL)], RULE, count=5, text_share=0)
    assert Counter(one.example for one in planned.trajectories) in ({0: 3, 1: 2}, {0: 2, 1: 3})
    assert len({one.seed for one in planned.trajectories}) == 5


@pytest.mark.parametrize("options", [{"text_share": 1.5}, {"count": -1}])
def test_impossible_plans_are_refused(options):
    with pytest.raises(ValueError, match="are needed"):
        plan([("a", SMALL)], RULE, **options)
