"""Rows as ms-swift reads them, whose templates make the text that the model answers to."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.exchange.declared import AS_FRAMES, KNOWN, UNANSWERED
from engine.exchange.ms_swift import LAST_END, MS_SWIFT
from engine.exchange.placeholders import ESCAPED
from engine.protocols.calls import tools_message
from engine.settings import PROTOCOLS
from engine.store import Dossier
from engine.trace import Example
from tests.exchange.attempts import NamingSheet, clip_dossier, picture_dossier, wire
from tests.strategies import traces


def row_of(dossier: Dossier, sheet: NamingSheet | None = None) -> dict:
    (row,) = MS_SWIFT.rows(dossier, sheet or NamingSheet())
    return row


def templated(row: dict) -> list[tuple[str, str]]:
    """The messages as ms-swift's templates for Qwen write them (agent template hermes, 4.6.0)."""
    said: list[tuple[str, str]] = []
    for message in row["messages"]:
        role, content = message["role"], message["content"]
        if role == "system" and "tools" in row:
            content = tools_message(content, json.loads(row["tools"]))
        elif role == "tool_call":
            role, content = "assistant", f"<tool_call>\n{json.dumps(json.loads(content))}\n</tool_call>"
        elif role == "tool_response":
            role, content = "user", f"<tool_response>\n{content}\n</tool_response>"
        if said and said[-1][0] == role == "assistant":
            said[-1] = (role, said[-1][1] + content)
        else:
            said.append((role, content))
    return said


def test_a_row_in_the_real_schema():
    sheet = NamingSheet()
    row = row_of(picture_dossier("qwen3-vl"), sheet)
    zoom = '{"name": "image_zoom_in_tool", "arguments": {"bbox_2d": [250, 500, 500, 750], "label": "", "img_idx": %d}}'
    question = "<image>What is written?\n\nLook closer with the tools where something is too small to be seen. Put the"
    assert row["messages"] == [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": question + " final answer in \\boxed{}."},
        {"role": "assistant", "content": "Look.\n", "loss": False},
        {"role": "tool_call", "content": zoom % 8, "loss": False},
        {"role": "tool_response", "content": "Error: there is no picture 9"},
        {"role": "assistant", "content": "Again.\n", "loss": True},
        {"role": "tool_call", "content": zoom % 0, "loss": True},
        {"role": "tool_response", "content": "<image>"},
        {"role": "assistant", "content": "It can be read.\n\n\\boxed{KX7421}", "loss": True},
    ]
    assert row["images"] == ["1.png", "2.png"] and (row["id"], row["protocol"]) == ("one", "qwen3-vl")
    assert [tool["function"]["name"] for tool in json.loads(row["tools"])] == ["image_zoom_in_tool"]
    assert sheet.lost == {KNOWN: 1}


def test_results_that_a_family_reads_as_the_user_s_words_are_the_user_s():
    sheet = NamingSheet()
    row = row_of(clip_dossier("pixel-reasoner"), sheet)
    assert [message["role"] for message in row["messages"]] == [
        "system", "user", "assistant", "tool_call", "user", "assistant"
    ]  # fmt: skip
    assert len(row["images"]) == 18 and row["messages"][1]["content"].count("<image>") == 16
    assert row["messages"][4]["content"].endswith("Numbered 1 to 2):<image><image>")
    assert sheet.lost[AS_FRAMES] == 1


def test_one_picture_is_a_list_and_a_word_is_no_picture():
    sheet = NamingSheet()
    row = row_of(picture_dossier("mini-o3", question="Is <image> or <|image_pad|> a tag?"), sheet)
    assert "tools" not in row and sheet.lost[ESCAPED] == 1
    text = "".join(message["content"] for message in row["messages"])
    assert text.count("<image>") == len(row["images"]) == 2 and "<|image_pad|>" not in text


@settings(max_examples=60)
@given(traces(), st.sampled_from(PROTOCOLS), st.booleans())
def test_the_templates_make_what_the_model_answers_to(trace, name, is_operating):
    from dataclasses import replace

    trace = replace(trace, protocol=name, is_operating=is_operating)
    dossier = Dossier(trace, Example(trace.question, trace.media))
    sheet = NamingSheet()
    try:
        row = row_of(dossier, sheet)
    except InvalidInput:
        return
    said = templated(row)
    expected = wire(dossier)
    if name == "studio":  # written on one line there, with two decimals
        said = [(who, text.replace("\n", "")) for who, text in said if "<tool_call>" not in text]
        expected = [(who, text.replace("\n", "")) for who, text in expected if "<tool_call>" not in text]
    assert said == merged(expected)
    placed = sum(message["content"].count("<image>") for message in row["messages"])
    assert placed == len(row["images"])
    assert not any("<image>" in message["content"] for message in row["messages"] if "loss" in message)
    assert sheet.lost[UNANSWERED] in (0, 1) and sheet.lost[LAST_END] == (not row["messages"][-1]["loss"])


def merged(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Turns of the model with nothing between them, as one."""
    whole: list[tuple[str, str]] = []
    for who, text in said:
        if whole and whole[-1][0] == who == "assistant":
            whole[-1] = (who, whole[-1][1] + text)
        else:
            whole.append((who, text))
    return whole


@pytest.mark.parametrize("name", PROTOCOLS)
def test_erroneous_and_failed_steps_carry_no_loss(name):
    messages = row_of(picture_dossier(name))["messages"]
    losses = [message["loss"] for message in messages if "loss" in message]
    assert losses[0] is False and losses[-1] is True
    assert {message["role"] for message in messages if "loss" in message} <= {"assistant", "tool_call"}
