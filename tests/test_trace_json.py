"""The JSON of the values: round trips, the public form to the letter, and what every complaint names."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.trace import (
    Box,
    Evidence,
    Example,
    Media,
    Observation,
    Step,
    Trace,
    View,
    ZoomIn,
    first_views,
)
from engine.trace_json import (
    evidence_from_json,
    evidence_to_json,
    example_from_json,
    example_to_json,
    known_from_json,
    known_to_json,
    media_from_json,
    media_to_json,
    step_from_json,
    step_to_json,
    trace_from_json,
    trace_to_json,
    view_from_json,
    view_to_json,
)
from tests.strategies import evidence, examples, media, traces

IMAGE = Media("a" * 64, "image", 1024, 768)


def through_text(data):
    return json.loads(json.dumps(data, allow_nan=False))


@given(traces(), st.none() | st.text(max_size=20))
def test_a_trace_loses_nothing(trace, id):
    assert trace_from_json(through_text(trace_to_json(trace, id))) == (trace, id)


@given(traces())
def test_steps_and_views_lose_nothing(trace):
    assert [step_from_json(through_text(step_to_json(step))) for step in trace.steps] == list(trace.steps)
    assert [view_from_json(through_text(view_to_json(view))) for view in trace.views] == list(trace.views)


@given(media)
def test_media_lose_nothing(medium):
    assert media_from_json(through_text(media_to_json(medium))) == medium


@given(evidence)
def test_evidence_loses_nothing_and_is_read_as_it_was_stored_before(found):
    assert evidence_from_json(through_text(evidence_to_json(found))) == found
    both = {"boxes": [box.as_list() for box in found.boxes], "frames": list(found.frames)}
    assert evidence_from_json(both) == found


@given(examples())
def test_an_example_loses_nothing(example):
    assert example_from_json(through_text(example_to_json(example))) == example


@given(examples())
def test_what_is_known_beside_a_trace_loses_nothing(example):
    trace = Trace(example.question, example.media, first_views(example.media), (), "failed", "p", "studio")
    assert known_from_json(through_text(known_to_json(example)), trace) == example


def test_an_example_says_only_what_is_known():
    assert example_to_json(Example("?", (), None)) == {"question": "?", "media": [], "answer": None}
    whole = Example("?", (), "2", ("1", "2"), Evidence((), (3,)), ("B",), "letter", "count", "hard", "mine/7")
    assert example_to_json(whole) == {
        "question": "?",
        "media": [],
        "answer": "2",
        "options": ["1", "2"],
        "evidence": {"frames": [3]},
        "other_answers": ["B"],
        "rule": "letter",
        "category": "count",
        "difficulty": "hard",
        "source": "mine/7",
    }


@pytest.mark.parametrize(
    ("answer", "rule", "read"),
    [
        (3.0, "number", "3"),
        (3, "number", "3"),
        (3.0, "only-number", "3"),
        ("3.0", "number", "3.0"),
        (2.5, "number", "2.5"),
        (3.0, None, "3.0"),
    ],
)
def test_a_number_is_an_answer_and_whole_where_numbers_are_compared(answer, rule, read):
    data = {"question": "?", "media": [], "answer": answer, "other_answers": [answer], "rule": rule}
    found = example_from_json(data)
    assert (found.answer, found.other_answers) == (read, (read,))


def asked(**changes) -> dict:
    return {"question": "?", "media": [media_to_json(IMAGE)], "answer": "7"} | changes


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "an object is expected, not []"),
        ({"media": [], "answer": "7"}, "question: this field is missing"),
        (asked(media=[{"sha256": "a"}]), "media[0].kind: this field is missing"),
        (asked(media=[media_to_json(IMAGE) | {"width": math.inf}]), "media[0].width: a whole number is expected"),
        (asked(media=[media_to_json(IMAGE) | {"width": True}]), "media[0].width: a whole number is expected, not true"),
        (asked(media=[media_to_json(IMAGE) | {"width": "12"}]), 'media[0].width: a whole number is expected, not "12"'),
        (asked(answer=math.nan), "answer: a text, a number or null is expected, not NaN"),
        (asked(answer=True), "answer: a text, a number or null is expected, not true"),
        (asked(answer=-math.inf, rule="number"), "answer: a text, a number or null"),
        (asked(other_answers=["a", {}]), "other_answers[1]: a text, a number or null is expected, not {}"),
        (asked(options=["a", 1]), "options[1]: a text is expected, not 1"),
        (asked(rule=["anls"]), "rule: one of text, letter, number, only-number, anls is expected"),
        (asked(evidence={"boxes": [[0, 0, math.nan, 1]]}), "evidence.boxes[0]: a box needs four finite numbers"),
        (asked(evidence={"boxes": [[0, 0, 10**400, 1]]}), "evidence.boxes[0]: the box"),
        (asked(evidence={"boxes": [[False, 0, True, 1]]}), "evidence.boxes[0]: [x1, y1, x2, y2]"),
        (asked(evidence={"frames": [1, 2.5]}), "evidence.frames[1]: a whole number is expected, not 2.5"),
        (asked(evidence={"box": []}), 'evidence: {"boxes": [[x1, y1, x2, y2]]} or {"frames": [3, 4]} is expected'),
        (asked(category=3), "category: a text is expected, not 3"),
        (asked(source=3), "source: a text is expected, not 3"),
    ],
)
def test_a_complaint_about_an_example_begins_with_the_field(data, said):
    with pytest.raises(InvalidInput) as error:
        example_from_json(data)
    assert str(error.value).startswith(said)


def test_the_public_form_is_that_of_the_design():
    """docs/design.md, to the letter."""
    box = Box(0.31, 0.4, 0.45, 0.5)
    views = (*first_views([IMAGE]), View(2, IMAGE.sha256, None, box))
    steps = (Step("look", ZoomIn(1, box), Observation((2,))), Step("read", answer="KX7421"))
    trace = Trace("What?", (IMAGE,), views, steps, "answered", "tiny", "studio")
    assert trace_to_json(trace, "id-1") == {
        "version": 1,
        "id": "id-1",
        "question": "What?",
        "answer": "KX7421",
        "stop_reason": "answered",
        "policy": "tiny",
        "protocol": "studio",
        "media": [{"sha256": "a" * 64, "kind": "image", "width": 1024, "height": 768}],
        "views": [
            {"number": 1, "sha256": "a" * 64, "frame": None, "box": [0, 0, 1, 1]},
            {"number": 2, "sha256": "a" * 64, "frame": None, "box": [0.31, 0.4, 0.45, 0.5]},
        ],
        "steps": [
            {
                "thought": "look",
                "operation": {"name": "zoom_in", "view": 1, "box": [0.31, 0.4, 0.45, 0.5]},
                "observation": {"views": [2], "error": None},
                "is_erroneous": False,
            },
            {"thought": "read", "answer": "KX7421"},
        ],
    }


@given(traces())
def test_the_keys_are_always_the_same(trace):
    data = trace_to_json(trace)
    assert list(data) == [
        "version", "id", "question", "answer", "stop_reason", "policy", "protocol", "media", "views", "steps",
        *([] if trace.is_operating else ["is_operating"]),  # absent where it says nothing: older hashes stay
    ]  # fmt: skip
    for step, raw in zip(trace.steps, data["steps"], strict=True):
        expected = {"thought", "operation", "observation", "is_erroneous"}
        if step.answer is not None:
            expected = {"thought", "answer"} | ({"is_erroneous"} if step.is_erroneous else set())
        assert set(raw) == expected


def good() -> dict:
    return trace_to_json(Trace("?", (IMAGE,), first_views([IMAGE]), (Step("", answer="7"),), "answered", "p", "studio"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "version 2"),
        ({"id": 5}, "id: a text is expected, not 5"),
        ({"is_operating": 1}, "is_operating: true or false"),
        ({"views": [{"number": 2, "sha256": "a", "frame": None, "box": [0, 0, 1, 1]}]}, "without gaps"),
        ({"question": None}, "question: a text is expected, not null"),
        ({"stop_reason": "bored"}, r"stop_reason: one of answered, .* is expected, not \"bored\""),
        ({"media": [{"sha256": "a", "kind": "song", "width": 1, "height": 1}]}, r"media\[0\].kind: .*song"),
        ({"views": [{"number": 1, "sha256": "a", "frame": None, "box": [0, 0, 0, 0]}]}, r"views\[0\].box: .*empty"),
        ({"views": [{"number": 1, "sha256": "a", "frame": None}]}, r"views\[0\].box: this field is missing"),
        ({"steps": [{"answer": "7"}]}, r"steps\[0\].thought: this field is missing"),
        ({"steps": [{"thought": "", "operation": {"name": "rotate"}}]}, r"steps\[0\].operation.name: .*rotate"),
        (
            {"steps": [{"thought": "", "observation": {"views": [], "error": None}}]},
            r"steps\[0\].observation: an observation has",
        ),
        ({"steps": 7}, "steps: a list is expected, not 7"),
    ],
)
def test_what_is_no_trace_is_refused_with_the_reason(change, said):
    with pytest.raises(InvalidInput, match=said):
        trace_from_json(good() | change)


@pytest.mark.parametrize("data", [None, [], "trace", 1, {}])
def test_anything_else_is_refused(data):
    with pytest.raises(InvalidInput, match="version"):
        trace_from_json(data)
