"""What is taken apart for a trainer is what its template puts together again."""

from __future__ import annotations

import pytest

from engine.errors import InvalidInput
from engine.exchange.conversation import conversation
from engine.exchange.declared import ROUNDED, UNANSWERED, declared, response, said_by, trained, with_marks
from engine.protocols import protocol_named
from engine.protocols.calls import tools_message
from engine.trace import Box, ZoomIn, first_views
from tests.exchange.attempts import NamingSheet, clip_dossier, picture_dossier


@pytest.mark.parametrize("name", ["pixel-reasoner", "qwen3-vl", "deepeyes"])
def test_declarations_come_out_of_the_system_message(name):
    said = conversation(clip_dossier(name), protocol_named(name))
    system, tools = declared(said.turns[0].text)
    assert len(tools) == 2 and all(tool["type"] == "function" for tool in tools)
    assert tools_message(system, tools) == said.turns[0].text


@pytest.mark.parametrize("text", [None, "", "You help.", "You help.\n\n# Tools\n\nYou may call one or more functions"])
def test_other_system_messages_stay_whole(text):
    assert declared(text) == (text, [])


def test_a_result_in_the_marks_of_a_tool_is_told_from_the_user_s_words():
    turns = conversation(picture_dossier("qwen3-vl"), protocol_named("qwen3-vl")).turns
    failed, seen = (turn for turn in turns if turn.role == "observation")
    assert with_marks(response(failed)) == "Error: there is no picture 9"
    assert with_marks(response(seen)) == "<image>"
    for name in ("pixel-reasoner", "deepeyes", "studio"):
        turns = conversation(picture_dossier(name), protocol_named(name)).turns
        assert [response(turn) for turn in turns if turn.role == "observation"] == [None, None]


def test_boxes_that_the_wire_rounds_are_counted():
    from dataclasses import replace

    dossier = picture_dossier("qwen3-vl")
    fine = replace(dossier.trace.steps[1], operation=ZoomIn(1, Box(0.25, 0.5, 0.50049, 0.75)))
    edited = replace(dossier, trace=replace(dossier.trace, steps=(fine, dossier.trace.steps[2])))
    for name, count in (("qwen3-vl", 1), ("studio", 1), ("pixel-reasoner", 0)):
        sheet = NamingSheet(name)
        said_by(edited, sheet)
        assert sheet.lost[ROUNDED] == count
    sheet = NamingSheet()
    said_by(dossier, sheet)
    assert not sheet.lost, "a zoom into a picture that was never shown is told as it is"


def test_what_no_turn_of_the_model_follows_is_counted_and_left_out():
    from dataclasses import replace

    dossier = picture_dossier("studio")
    cut = replace(dossier, trace=replace(dossier.trace, steps=dossier.trace.steps[:2]))
    sheet = NamingSheet()
    assert trained(conversation(cut, protocol_named("studio")), sheet)[-1].index == 1
    assert sheet.lost == {UNANSWERED: 1}
    views = first_views(dossier.trace.media)
    empty = replace(dossier, trace=replace(dossier.trace, steps=(), views=views))
    with pytest.raises(InvalidInput, match="no turn of the model"):
        trained(conversation(empty, protocol_named("studio")), sheet)
