"""Scores and hits by hand, and what a whole run comes to."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.evaluation.hits import is_box_hit, is_frame_hit, is_hit
from engine.evaluation.scoring import (
    Result,
    anls,
    letter_score,
    number_score,
    only_number_score,
    score_answer,
    summarise,
    text_score,
)
from engine.faithfulness import evidence_shares
from engine.trace import (
    Box,
    Evidence,
    Example,
    Media,
    Observation,
    SelectFrames,
    Step,
    Trace,
    View,
    ZoomIn,
    first_views,
)

IMAGE = Media("a" * 64, "image", 1000, 1000)
OTHER = Media("c" * 64, "image", 1000, 1000)
CLIP = Media("b" * 64, "video", 448, 336)
ANIMALS = ("a cat", "A dog", "both of them", "B")


# --- text -----------------------------------------------------------------------------------------------------------


def test_text_score():
    assert text_score("kx7421.", "KX7421") == 1
    assert text_score("KX7422", "KX7421") == 0
    assert text_score("It says KX7421", "KX7421") == 0
    assert text_score("", "") == 0
    assert text_score("!", "?") == 0


# --- letters --------------------------------------------------------------------------------------------------------


def test_letter_score():
    assert letter_score("(b) A dog", "B", ANIMALS) == 1
    assert letter_score("A dog", "b", ANIMALS) == 1
    assert letter_score("B", "A dog", ANIMALS) == 1
    assert letter_score("A", "B", ANIMALS) == 0
    assert letter_score("", "B", ANIMALS) == 0
    assert letter_score("C", "C", ()) == 1


# --- numbers --------------------------------------------------------------------------------------------------------


def test_number_score():
    assert number_score("I count seven of them", "7") == 1
    assert number_score("8, no, 7", "7") == 0
    assert number_score("many", "many") == 0
    assert number_score("Of the 5 people, 3 wear hats", "3") == 0
    assert only_number_score("Of the 5 people, 3 wear hats", "3") == 1
    assert only_number_score("8, no, 7", "7") == 0


# --- ANLS -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "golds", "expected"),
    [
        ("Hello", ["hello "], 1.0),
        ("New  York", ["New York"], 1.0),
        ("new\nyork", ["New\u00a0York"], 1.0),
        ("hallo", ["hello"], 0.8),
        ("kitten", ["sitting"], 1 - 3 / 7),
        ("abcd", ["abxy"], 0.5),  # exactly the threshold counts
        ("abcd", ["axyz"], 0.0),
        ("", ["x"], 0.0),
        ("", [""], 1.0),
        ("2019", ["twenty nineteen", "2019"], 1.0),
        ("x", [], 0.0),
    ],
)
def test_anls_by_hand(answer, golds, expected):
    assert anls(answer, golds) == pytest.approx(expected)


@given(st.text(max_size=12), st.text(max_size=12))
def test_anls_is_symmetric_and_bounded(one, two):
    assert anls(one, [two]) == pytest.approx(anls(two, [one]))
    assert anls(one, [two]) == 0 or 0.5 <= anls(one, [two]) <= 1


# --- scoring an example ---------------------------------------------------------------------------------------------


def test_without_a_gold_answer_nothing_is_scored():
    assert score_answer("7", Example("?", (IMAGE,))) is None
    assert score_answer(None, Example("?", (IMAGE,))) is None


def test_no_answer_is_wrong_and_not_unscored():
    assert score_answer(None, Example("?", (IMAGE,), "7")) == 0.0


def test_the_rule_follows_the_example_unless_it_is_given():
    assert score_answer("(b)", Example("?", (IMAGE,), "B", ("x", "y"))) == 1
    assert score_answer("(b)", Example("?", (IMAGE,), "B")) == 1
    assert score_answer("seven", Example("?", (IMAGE,), "7")) == 0
    assert score_answer("seven", Example("?", (IMAGE,), "7", rule="number")) == 1
    assert score_answer("seven of 9", Example("?", (IMAGE,), "7", rule="only-number")) == 1
    assert score_answer("hallo", Example("?", (IMAGE,), "hello", rule="anls")) == pytest.approx(0.8)


# --- evidence -------------------------------------------------------------------------------------------------------

TARGET = Box(0.4, 0.4, 0.5, 0.5)


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (TARGET, True),
        (Box(0.41, 0.4, 0.5, 0.5), True),  # 90% of it
        (Box(0.412, 0.4, 0.5, 0.5), False),
        (Box(0.3, 0.3, 0.8, 0.8), True),  # a quarter of the picture
        (Box(0.3, 0.3, 0.81, 0.8), False),
        (Box.full(), False),
        (Box(0.6, 0.6, 0.7, 0.7), False),
    ],
)
def test_box_hits(shown, expected):
    assert is_box_hit(shown, [TARGET]) is expected
    assert is_box_hit(shown, [Box(0.9, 0.9, 1, 1), TARGET]) is expected


def test_frame_hits():
    assert is_frame_hit([1, 4], [4, 5])
    assert not is_frame_hit([1, 2], [4, 5])
    assert not is_frame_hit([], [4, 5])
    assert is_frame_hit([*range(1, 9)], [8])
    assert not is_frame_hit([*range(1, 10)], [8])


POSITIONS = itertools.count()


def result(trace, score, hit, cpu_s, category=None, difficulty=None, position=None) -> Result:
    """At an example of its own, unless it is told which."""
    example = replace(trace.example, category=category, difficulty=difficulty)
    return Result(example, trace, score, hit, cpu_s, next(POSITIONS) if position is None else position)


def trace_of(media: Media, *shown: tuple[View, ...], answer: str | None = "7", errors: int = 0) -> Trace:
    """A trace whose operations brought these views, each with the operation that fits it."""
    views, steps = list(first_views((media,))), []
    for group in shown:
        numbered = [View(len(views) + k, v.sha256, v.frame, v.box) for k, v in enumerate(group, 1)]
        views += numbered
        is_selection = numbered[0].box == Box.full()
        operation = SelectFrames(tuple(v.frame for v in numbered)) if is_selection else ZoomIn(1, numbered[0].box)
        steps.append(Step("", operation, Observation(tuple(v.number for v in numbered))))
    steps += [Step("", ZoomIn(99, TARGET), Observation(error="no")) for _ in range(errors)]
    steps.append(Step("", answer=answer))
    return Trace("?", (media,), tuple(views), tuple(steps), "answered", "p", "studio")


def zoomed(box: Box, sha256: str = IMAGE.sha256, frame: int | None = None) -> tuple[View, ...]:
    return (View(0, sha256, frame, box),)


def frames(*numbers: int) -> tuple[View, ...]:
    return tuple(View(0, CLIP.sha256, number, Box.full()) for number in numbers)


def test_any_operation_may_hit():
    evidence = Evidence(boxes=(TARGET,))
    assert is_hit(trace_of(IMAGE, zoomed(Box(0, 0, 0.1, 0.1)), zoomed(TARGET)), evidence) is True
    assert is_hit(trace_of(IMAGE, zoomed(Box(0, 0, 0.1, 0.1))), evidence) is False
    assert is_hit(trace_of(IMAGE), evidence) is False
    assert is_hit(trace_of(IMAGE, errors=1), evidence) is False  # it named the target, but nothing was shown
    for other in (OTHER, IMAGE):  # evidence lies on the first medium, though the second be equal to it
        media = (IMAGE, other)
        for place, is_there in ((1, True), (2, False)):
            crop = View(3, media[place - 1].sha256, None, TARGET)
            step = Step("", ZoomIn(place, TARGET), Observation((3,)))
            trace = Trace("?", media, (*first_views(media), crop), (step,), "max_steps", "p", "studio")
            assert is_hit(trace, evidence) is is_there
            assert evidence_shares(trace, evidence) == (1.0 if is_there else 0.0,)


def test_without_evidence_there_is_no_hit_to_have():
    assert is_hit(trace_of(IMAGE, zoomed(TARGET)), None) is None
    assert is_hit(trace_of(IMAGE, zoomed(TARGET)), Evidence()) is None


def test_frames_are_hit_by_selections_alone():
    evidence = Evidence(frames=(3, 4))
    assert is_hit(trace_of(CLIP, frames(1, 2), frames(4)), evidence) is True
    assert is_hit(trace_of(CLIP, frames(1, 2)), evidence) is False
    assert is_hit(trace_of(CLIP, zoomed(TARGET, CLIP.sha256, 3)), evidence) is False


def test_boxes_on_frames_need_the_frame():
    evidence = Evidence(boxes=(TARGET,), frames=(3,))
    assert is_hit(trace_of(CLIP, zoomed(TARGET, CLIP.sha256, 3)), evidence) is True
    assert is_hit(trace_of(CLIP, zoomed(TARGET, CLIP.sha256, 4)), evidence) is False
    assert is_hit(trace_of(CLIP, frames(3)), evidence) is False


# --- a whole run ----------------------------------------------------------------------------------------------------


def test_a_summary_by_hand():
    operated, plain = trace_of(IMAGE, zoomed(TARGET)), trace_of(IMAGE)
    results = [
        result(operated, 1.0, True, 0.1),
        result(operated, 1.0, True, 0.2),
        result(trace_of(IMAGE, zoomed(TARGET), errors=2), 0.0, False, 0.9),
        result(plain, 1.0, None, 0.3),
        result(plain, None, None, 0.4),
    ]
    summary = summarise("mine", results)
    assert (summary.benchmark, summary.n) == ("mine", 5)
    assert summary.accuracy == pytest.approx(3 / 4)
    assert summary.stderr == pytest.approx(math.sqrt(0.75 * 0.25 / 4))
    assert summary.hit_rate == pytest.approx(2 / 3)
    assert summary.rapr == pytest.approx(3 / 5)
    assert summary.error_rate == pytest.approx(1 / 5)
    assert summary.cpu_s_median == pytest.approx(0.3)


def test_what_cannot_be_counted_is_none():
    unscored = summarise("mine", [result(trace_of(IMAGE), None, None, 0.1)])
    assert (unscored.accuracy, unscored.stderr, unscored.hit_rate) == (None, None, None)
    assert (unscored.n, unscored.rapr) == (1, 0.0)
    empty = summarise("mine", [])
    assert empty.n == 0
    assert {empty.accuracy, empty.rapr, empty.error_rate, empty.cpu_s_median} == {None}


@given(st.lists(st.sampled_from([0.0, 1.0]), min_size=1, max_size=50))
def test_the_standard_error_of_right_and_wrong_is_binomial(scores):
    summary = summarise("mine", [result(trace_of(IMAGE), score, None, 0.0) for score in scores])
    p = sum(scores) / len(scores)
    assert summary.accuracy == pytest.approx(p)
    if 0 < p < 1:
        assert summary.stderr == pytest.approx(math.sqrt(p * (1 - p) / len(scores)), abs=1e-12)
    else:  # 6 of 6 right is not "100.0% ± 0.0"
        assert summary.stderr is None


def test_parts_by_hand():
    """Two categories and two difficulties: right 1 of 2 and 1 of 1; an unscored one counts in n alone."""
    operated, plain = trace_of(IMAGE, zoomed(TARGET)), trace_of(IMAGE)
    results = [
        result(operated, 1.0, True, 0.1, "relative_position", "hard"),
        result(plain, 0.0, False, 0.1, "relative_position", "easy"),
        result(operated, 1.0, True, 0.1, "direct_attributes", "hard"),
        result(plain, None, None, 0.1, "direct_attributes", "hard"),
    ]
    parts = {(part.by, part.name): part for part in summarise("mini-vstar", results).parts}
    assert list(parts) == [
        ("category", "direct_attributes"),
        ("category", "relative_position"),
        ("difficulty", "easy"),
        ("difficulty", "hard"),
    ]
    position = parts["category", "relative_position"]
    assert (position.n, position.accuracy, position.rapr, position.hit_rate) == (2, 0.5, 0.5, 0.5)
    assert position.stderr == pytest.approx(math.sqrt(0.5 * 0.5 / 2))
    attributes = parts["category", "direct_attributes"]
    assert (attributes.n, attributes.accuracy, attributes.stderr, attributes.rapr) == (2, 1.0, None, 0.5)
    assert parts["difficulty", "hard"].rapr == pytest.approx(2 / 3)
    unscored = summarise("mine", [result(plain, None, None, 0.1, "a", None)]).parts
    assert [(part.by, part.name, part.n, part.accuracy, part.stderr) for part in unscored] == [
        ("category", "a", 1, None, None)
    ]
    assert summarise("mine", [result(plain, 1.0, None, 0.1)]).parts == ()


def test_the_best_of_several_gold_answers_counts():
    """ "1 million" against "1,000,000" and "1 milion": distance 1 of 9."""
    example = Example("?", (IMAGE,), "1,000,000", other_answers=("1 milion",))
    assert score_answer("1 million", replace(example, rule="anls")) == pytest.approx(1 - 1 / 9)
    assert score_answer("1 MILION", replace(example, rule="text")) == 1.0
    assert score_answer("one", Example("?", (IMAGE,), "2", other_answers=("1",), rule="number")) == 1.0
    assert score_answer("1 million", Example("?", (IMAGE,), None, rule="anls")) is None
