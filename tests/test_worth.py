r"""What a look was worth: worked numbers on a stand-in that knows what stands before it."""

from __future__ import annotations

import math

import pytest

from engine.errors import InvalidInput
from engine.policies.base import Told
from engine.protocols import PicturePart, protocol_named
from engine.settings import PROTOCOLS
from engine.trace import Box, Step, ZoomIn
from engine.worth import LookWorth, answer_words, weigh_looks
from tests.editing.samples import photo, pictures_of, play, policy_saying

SEEN = {1: -2.0, 2: -1.0, 3: -0.25}
"""Pictures shown so far -> the log-probability that the stand-in gives to any words."""
ONE, TWO, THREE = math.exp(-2), math.exp(-1), math.exp(-0.25)


class Weighing:
    """A policy that weighs by how many pictures it was shown."""

    name = "weighing"

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, int]] = []
        self.said: list[object] = []
        self.is_closed = False
        told = policy_saying(Step("kept"))
        self.protocol, self.shown_sizes = told.protocol, told.shown_sizes

    def converse(self, pictures, seed):
        self.said = []
        return self

    def add(self, said) -> None:
        self.said += said

    def weigh(self, given: str, text: str) -> float:
        shown = sum(isinstance(part, PicturePart) for one in self.said if isinstance(one, Told) for part in one.parts)
        self.asked.append((given, text, len(self.said)))
        return SEEN[shown]

    def close(self) -> None:
        self.is_closed = True


LOOK, CLOSER = ZoomIn(1, Box(0, 0, 0.5, 0.5)), ZoomIn(2, Box(0, 0, 0.5, 0.5))
OUTSIDE = ZoomIn(7, Box(0, 0, 0.5, 0.5))
ANSWER = Step("I read it.", answer="KX")


def test_each_look_is_weighed_before_and_after_what_it_brought() -> None:
    policy, trace = Weighing(), play(photo(), Step("Left.", LOOK), Step("Closer.", CLOSER), ANSWER)
    worths = list(weigh_looks(trace, policy, pictures_of(photo())))
    assert worths == [LookWorth(0, ONE, TWO), LookWorth(1, TWO, THREE)]
    # What stands after one look stands before the next: three weighings of two looks, after 1, 3 and 5 turns.
    assert policy.asked == [(r"I read it. \boxed{", "KX}", turns) for turns in (1, 3, 5)] and policy.is_closed


def test_a_look_that_failed_is_no_look_but_stands_in_the_history() -> None:
    policy, trace = Weighing(), play(photo(), Step("Odd.", OUTSIDE), Step("Left.", LOOK), ANSWER)
    assert trace.steps[0].observation.error
    assert list(weigh_looks(trace, policy, pictures_of(photo()))) == [LookWorth(1, ONE, TWO)]
    assert [turns for _, _, turns in policy.asked] == [3, 5]


def test_what_cannot_be_weighed_is_said() -> None:
    shown, look = pictures_of(photo()), Step("Left.", LOOK)
    answered = play(photo(), look, ANSWER)
    for trace, policy, said in (
        (play(photo(), ANSWER), Weighing(), "nothing was looked at"),
        (play(photo(), look, look, look, look, look, look), Weighing(), "no answer"),
        (answered, policy_saying(ANSWER), "scripted does not tell how likely"),
    ):
        with pytest.raises(InvalidInput, match=said):
            list(weigh_looks(trace, policy, shown))


@pytest.mark.parametrize("name", [name for name in PROTOCOLS if name != "auto"])
def test_the_words_before_an_answer_are_the_turns_own_and_do_not_hold_it(name) -> None:
    protocol = protocol_named(name)
    for thought, answer, before, words in (
        ("It says KX. So KX.", "KX", "It says ", "KX."),
        ("No 175 here.", "17", "No 175 here.", "17"),
        ("", "a {b}", "", "a {b}"),
    ):
        trace = play(photo(), Step("Left.", LOOK), Step(thought, answer=answer))
        given, weighed = answer_words(protocol, trace)
        assert before in given and weighed.startswith(words) and len(weighed) == len(answer) + 1
        assert (given + weighed) in protocol.render(trace.steps[-1], trace.views, trace.media)


def test_another_answer_is_weighed_where_the_own_one_is_said() -> None:
    protocol, options = protocol_named("studio"), ("red", "dark green", "blue")
    for thought, own, gold, before, words in (
        ("It says KX. So KX.", "KX", "17", "It says ", "17."),
        ("Here it is. The cup is dark green.", "B", "A", "The cup is ", "red."),
        ("The cup is dark green.", "B", "B", "The cup is ", "dark green."),
        ("", "B", "C", r"\boxed{", "C}"),
        ("Two: 1 at (0.20, 0.30), 2 at (0.40, 0.30). It is 2.", "2", "3", "(0.20, 0.30), ", "3 "),
    ):
        trace = play(photo(), Step("Left.", LOOK), Step(thought, answer=own))
        given, weighed = answer_words(protocol, trace, options=options, answer=gold)
        assert given.endswith(before) and weighed == words


def test_the_gold_answer_is_weighed_when_it_is_given() -> None:
    policy, trace = Weighing(), play(photo(), Step("Left.", LOOK), ANSWER)
    assert list(weigh_looks(trace, policy, pictures_of(photo()), answer="AB")) == [LookWorth(0, ONE, TWO)]
    assert {words for _, words, _ in policy.asked} == {"AB}"}
