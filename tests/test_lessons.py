"""A plain lesson is one for every protocol; whatever is not plain is left to the protocol to judge."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import event, given

from engine.lessons import is_plain_lesson
from engine.protocols import protocol_named
from engine.settings import PROTOCOLS as NAMES
from engine.trace import Box, Media, Observation, Step, Trace, View, ZoomIn
from tests.strategies import traces

PROTOCOLS = [protocol_named(name) for name in NAMES]


def taught(*steps: Step) -> Trace:
    media = Media("a" * 64, "image", 100, 100)
    views = (View(1, media.sha256, None, Box.full()), View(2, media.sha256, None, Box(0.1, 0.1, 0.9, 0.9)))
    return Trace("What?", (media,), views, steps, "answered", "tiny", "studio")


def looked(box: Box) -> Step:
    return Step("Closer.", ZoomIn(1, box), Observation((2,)))


@given(traces())
def test_no_protocol_objects_to_a_plain_lesson(trace: Trace) -> None:
    from engine.training.fitting import objection

    is_plain = is_plain_lesson(trace)
    event("plain" if is_plain else "doubtful")
    if is_plain:
        assert [objection(trace, protocol) for protocol in PROTOCOLS] == [None] * len(PROTOCOLS)


@pytest.mark.parametrize(
    ("steps", "is_plain"),
    [
        ((looked(Box(0.1, 0.1, 0.9, 0.9)), Step("I read it.", answer="KX7421")), True),
        ((Step("", answer="17"),), True),
        ((Step("cut off"),), False),
        ((Step("wrong", answer="17", is_erroneous=True),), False),
        ((Step("", ZoomIn(7, Box.full()), Observation(error="there is no picture 7")),), False),
        ((Step("<tool_call>", answer="17"),), False),
        ((Step("", answer="{"),), False),
        ((Step("", answer=" 17"),), False),
        ((looked(Box(0.1, 0.1, 0.101, 0.9)), Step("", answer="17")), False),
    ],
)
def test_what_is_plain_by_hand(steps: tuple[Step, ...], is_plain: bool) -> None:
    assert is_plain_lesson(taught(*steps)) is is_plain


def test_pictures_that_do_not_match_their_media_are_not_plain() -> None:
    clip = dataclasses.replace(taught(Step("", answer="17")), media=(Media("b" * 64, "video", 100, 100),))
    assert not is_plain_lesson(clip)
