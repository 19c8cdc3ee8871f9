"""Rewards and advantages against numbers worked by hand, and the same verdicts as evaluation."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.scoring import score_answer
from engine.trace import Box, Example, Media, Observation, Step, Trace, View, ZoomIn, first_views
from engine.training.rewards import (
    Reward,
    RewardRule,
    advantages,
    called_operations,
    centred_advantages,
    correctness,
    has_failed_last_operation,
    is_uniform,
    normalised_advantages,
    paper_bonus,
    paper_penalty,
    rapr,
    released_bonus,
    released_penalty,
    rewards,
)

PICTURE, CLIP = Media("0" * 64, "image", 100, 80), Media("1" * 64, "video", 100, 80)
BOX = Box(0.25, 0.25, 0.5, 0.5)


def trace(*turns: str, answer: str | None = "17", medium: Media = PICTURE) -> Trace:
    """`turns` are "seen" or "failed"."""
    views, steps = list(first_views((medium,))), []
    for turn in turns:
        if turn == "seen":
            views.append(View(len(views) + 1, medium.sha256, views[0].frame, BOX))
            steps.append(Step("", ZoomIn(1, BOX), Observation((len(views),))))
        else:
            steps.append(Step("", ZoomIn(99, BOX), Observation(error="there is no picture 99")))
    if answer is not None:
        steps.append(Step("", answer=answer))
    stop = "answered" if answer is not None else "max_steps"
    return Trace("How many?", (medium,), tuple(views), tuple(steps), stop, "tiny", "studio")


@pytest.mark.parametrize(
    ("rate", "operates", "expected"), [(0.125, True, 0.0875), (0.125, False, 0.0), (0.0, True, 0.15), (0.3, True, 0.0)]
)
def test_the_papers_bonus(rate, operates, expected):
    """0.5 * (0.3 - 1/8) = 0.0875, the largest of eight rollouts (paper, appendix)."""
    assert paper_bonus(rate, operates) == pytest.approx(expected)


@pytest.mark.parametrize(("called", "expected"), [(0, 0.0), (1, 0.0), (2, -0.05), (4, -0.15)])
def test_the_penalty_is_the_same_in_both_variants(called, expected):
    assert paper_penalty(called) == pytest.approx(expected)
    assert released_penalty(called) == pytest.approx(expected)


def test_more_free_operations():
    assert paper_penalty(3, beta=0.1, free_operations=2) == pytest.approx(-0.1)


def test_the_released_codes_bonus():
    # (0.3 - 0.125) / 2 / 0.125 * 0.25 = 0.175;  / 1.5 instead: 0.23333
    assert released_bonus(0.125, True, is_clip=False) == pytest.approx(0.175)
    assert released_bonus(0.125, True, is_clip=True) == pytest.approx(0.2333333)
    assert released_bonus(0.25, True, is_clip=False) == pytest.approx(0.025)
    assert released_bonus(0.5, True, is_clip=False) == 0.0
    assert released_bonus(0.0, False, is_clip=False) == 0.0


def test_a_group_in_the_papers_variant():
    group = [trace("seen"), *(trace(answer="18") for _ in range(6)), trace("failed")]
    found = rewards(group, [1.0, *[0.0] * 6, 1.0], RewardRule())
    # One of eight operates: RaPR 1/8. A call that failed earns no bonus, and here its answer counts.
    assert found[0] == Reward(1.0, pytest.approx(0.0875), 0.0)
    assert set(found[1:7]) == {Reward(0.0, 0.0, 0.0)}
    assert found[7] == Reward(1.0, 0.0, 0.0)
    assert found[0].total == pytest.approx(1.0875)


def test_a_group_in_the_released_variant():
    group = [trace("seen", "seen", "seen"), trace("failed"), *(trace() for _ in range(6))]
    found = rewards(group, [1.0] * 8, RewardRule("released-code"))
    # Two of eight call: RaPR 1/4, bonus (0.3 - 0.25) / 2 / 0.25 * 0.25 = 0.025; three calls cost 0.1.
    assert found[0] == Reward(1.0, pytest.approx(0.025), pytest.approx(-0.1))
    assert found[1] == Reward(0.0, pytest.approx(0.025), pytest.approx(0.0))  # right, but the operation failed
    assert set(found[2:]) == {Reward(1.0, 0.0, 0.0)}
    clips = [trace("seen", medium=CLIP), *(trace(medium=CLIP) for _ in range(7))]
    assert rewards(clips, [0.0] * 8, RewardRule("released-code"))[0].bonus == pytest.approx(0.2333333)


def test_a_group_by_what_its_looks_were_worth():
    """0.5 of what they changed, and the paper's penalty; nobody gets a bonus for looking as such."""
    traces = [trace("seen"), trace("seen", "seen"), trace(), trace("failed")]
    found = rewards(traces, [1.0, 0.0, 1.0, 0.0], RewardRule("credit"), [0.9, -0.2, 0.0, 0.0])
    assert found == (Reward(1.0, 0.45, 0.0), Reward(0.0, -0.1, -0.05), Reward(1.0, 0.0, 0.0), Reward(0.0, 0.0, 0.0))
    assert [one.total for one in found] == pytest.approx([1.45, -0.15, 1.0, 0.0])


@pytest.mark.parametrize("variant", ["paper", "released-code", "credit"])
def test_without_curiosity_a_reward_is_the_correctness(variant):
    group = [trace("seen", "seen"), trace("failed"), trace()]
    found = rewards(group, [1.0, 0.5, 0.0], RewardRule(variant, is_curious=False))
    assert [one.total for one in found] == [1.0, 0.5, 0.0]


def test_the_last_operation_decides_whether_one_failed():
    assert not has_failed_last_operation(trace())
    assert not has_failed_last_operation(trace("failed", "seen"))
    assert has_failed_last_operation(trace("seen", "failed"))
    assert has_failed_last_operation(trace("failed", answer=None))
    assert [called_operations(one) for one in (trace(), trace("failed", "seen"))] == [0, 2]


def test_the_rate_of_a_group():
    assert rapr([True, False, False, False]) == 0.25
    assert rapr([False]) == 0.0


def test_correctness_is_what_evaluation_says():
    number = Example("How many?", (PICTURE,), "17")
    for answer, rule in [("17", None), ("seventeen", "number"), ("18", "number"), ("1", "anls"), (None, None)]:
        said = trace(answer=answer)
        assert correctness(said, replace(number, rule=rule)) == score_answer(answer, replace(number, rule=rule))
    assert correctness(trace(answer="seventeen"), replace(number, rule="number")) == 1.0
    with pytest.raises(ValueError, match="no gold answer"):
        correctness(trace(), Example("How many?", (PICTURE,)))


def test_advantages_worked_by_hand():
    # mean 0.25, deviation sqrt((0.75^2 + 3 * 0.25^2) / 3) = 0.5
    assert centred_advantages([1, 0, 0, 0]) == (0.75, -0.25, -0.25, -0.25)
    assert normalised_advantages([1, 0, 0, 0]) == pytest.approx((1.5, -0.5, -0.5, -0.5), abs=1e-5)
    assert advantages([1, 0, 0, 0], "centred") == centred_advantages([1, 0, 0, 0])
    assert advantages([1, 0, 0, 0], "normalised") == normalised_advantages([1, 0, 0, 0])


@given(st.lists(st.floats(-2, 2), min_size=2, max_size=8))
def test_advantages_sum_to_nothing_and_keep_the_order(totals):
    for kind in ("normalised", "centred"):
        found = advantages(totals, kind)
        assert sum(found) == pytest.approx(0, abs=1e-6 * max(1, *map(abs, found)))
        assert [x for _, x in sorted(zip(totals, found, strict=True))] == sorted(found)
    if is_uniform(totals):
        assert set(centred_advantages(totals)) | set(normalised_advantages(totals)) == {0.0}


def test_equal_rewards_carry_no_signal():
    assert is_uniform([0.1 + 0.2, 0.3])  # which differ by rounding
    assert normalised_advantages([0.3, 0.1 + 0.2, 0.3]) == (0.0, 0.0, 0.0)
    assert not is_uniform([1.0, 1.05])
