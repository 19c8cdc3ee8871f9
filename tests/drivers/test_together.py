"""Many attempts at once: places are filled as they come free, nothing is asked for early, and everything is closed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.drivers.together import Prompt, run_together
from engine.policies.base import one_after_another
from engine.reasoning import Limits
from tests.drivers.asking import Noted
from tests.drivers.cases import ANSWER, PICTURE, PICTURES, ZOOM

TWO_TURNS = (f"I look.{ZOOM}", ANSWER)


class Counting(Noted):
    """Notes how many speak together in each round."""

    rounds: list[int] = []

    def speak(self, conversations, max_tokens, is_cancelled):
        self.rounds.append(len(conversations))
        return one_after_another(conversations, max_tokens, is_cancelled)


def test_a_place_that_comes_free_is_filled_and_no_prompt_is_asked_for_before():
    policy, asked = Counting(TWO_TURNS), []
    policy.rounds.clear()

    def prompts() -> Iterator[Prompt]:
        for number in range(5):
            asked.append(number)
            yield Prompt(PICTURE, PICTURES)

    found = run_together(policy, prompts(), at_once=2)
    assert next(found).prompt == 0 and asked == [0, 1]
    assert sorted(one.prompt for one in found) == [1, 2, 3, 4]
    assert policy.rounds == [2, 2, 2, 2, 1, 1]
    assert all(one.is_closed for one in policy.made)


def test_more_may_have_begun_than_speak_and_those_speak_first_who_have_waited_longest():
    policy, asked = Counting(TWO_TURNS), []
    policy.rounds.clear()

    def prompts() -> Iterator[Prompt]:
        for number in range(5):
            asked.append(number)
            yield Prompt(PICTURE, PICTURES)

    found = run_together(policy, prompts(), at_once=2, prepared=1)
    assert next(found).prompt == 0 and asked == [0, 1, 2]
    assert [len(one.told) for one in policy.made] == [2, 2, 1]
    assert [next(found).prompt for _ in range(2)] == [1, 2] and asked == [0, 1, 2, 3, 4]
    # What comes back is told when a turn is over, not when the next is asked for.
    assert [len(one.told) for one in policy.made] == [2, 2, 2, 2, 2]
    assert sorted(one.prompt for one in found) == [3, 4]
    assert policy.rounds == [2, 2, 2, 2, 2]
    assert all(one.is_closed for one in policy.made)


def test_attempts_at_one_prompt_hear_its_opening_once_and_go_their_own_way():
    policy = Noted(TWO_TURNS)
    found = list(run_together(policy, [Prompt(PICTURE, PICTURES, (1, 2, 3))], at_once=8))
    assert len(policy.made) == 1  # the others are forks of it
    assert [one.rollout for one in found] == [0, 1, 2]
    assert all(one.finished.trace.answer == "KX7421" for one in found)
    heard = [one.conversation.told for one in found]
    assert [len(told) for told in heard] == [2, 2, 2] and heard[0] == heard[1] == heard[2]


def test_cancelling_ends_all_of_them():
    asked = iter([False] * 7)
    found = list(
        run_together(
            Noted(TWO_TURNS), [Prompt(PICTURE, PICTURES)] * 3, at_once=2, is_cancelled=lambda: next(asked, True)
        )
    )
    assert [one.finished.trace.stop_reason for one in found] == ["cancelled"] * 3


def test_an_attempt_that_fails_ends_all_and_leaves_nothing_open():
    policy = Noted(TWO_TURNS)
    with pytest.raises(Exception, match="not loaded"):
        list(run_together(policy, [Prompt(PICTURE, PICTURES), Prompt(PICTURE, {})], at_once=2))
    assert len(policy.made) == 2 and all(one.is_closed for one in policy.made)


def test_whoever_loses_interest_leaves_nothing_open():
    policy = Noted(TWO_TURNS)
    found = run_together(policy, [Prompt(PICTURE, PICTURES, (1, 2)), Prompt(PICTURE, PICTURES)], Limits(), at_once=3)
    next(found)
    found.close()
    assert all(one.is_closed for one in policy.made)
