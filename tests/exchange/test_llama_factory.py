"""Rows as LLaMA-Factory reads them: strict alternation, thoughts before calls, as many placeholders as pictures."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.exchange.declared import KNOWN, UNMASKED
from engine.exchange.llama_factory import LLAMA_FACTORY
from engine.protocols.calls import tools_message
from engine.settings import PROTOCOLS
from engine.store import Dossier
from engine.trace import Example, Step
from tests.exchange.attempts import NamingSheet, clip_dossier, picture_dossier, wire
from tests.strategies import traces

ROLES = {"human": "user", "gpt": "assistant", "function_call": "assistant", "observation": "user"}


def row_of(dossier: Dossier, sheet: NamingSheet | None = None) -> dict:
    (row,) = LLAMA_FACTORY.rows(dossier, sheet or NamingSheet())
    return row


def templated(row: dict) -> list[tuple[str, str]]:
    """The messages as the template qwen2_vl writes them (FunctionFormatter and QwenToolUtils of 0.9.5)."""
    said = []
    if row["system"]:
        tools = json.loads(row["tools"]) if row["tools"] else []
        said.append(("system", tools_message(row["system"], tools) if tools else row["system"]))
    for message in row["conversations"]:
        text = message["value"]
        if message["from"] == "function_call":
            thought, mark, rest = text.partition("<tool_call>")
            call = rest.removesuffix("</tool_call>") if mark else thought
            text = f"{thought if mark else ''}<tool_call>\n{json.dumps(json.loads(call))}\n</tool_call>"
        elif message["from"] == "observation":
            text = f"<tool_response>\n{text}\n</tool_response>"
        said.append((ROLES[message["from"]], text))
    return said


def test_a_row_in_the_real_schema():
    sheet = NamingSheet()
    row = row_of(picture_dossier("pixel-reasoner"), sheet)
    assert [message["from"] for message in row["conversations"]] == [
        "human", "function_call", "human", "function_call", "human", "gpt"
    ]  # fmt: skip
    asked, look, failed, again, seen, answer = (message["value"] for message in row["conversations"])
    assert asked.startswith("<image>What is written?\n\nGuidelines: ")
    assert look == (
        'Look.\n\n<tool_call>{"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.25, 0.5, 0.5, 0.75], '
        '"target_image": 9}}</tool_call>'
    )
    assert failed == "\nExecution error:\nthere is no picture 9\n"
    assert again.startswith("Again.\n\n<tool_call>{")
    assert seen == "\nHere is the cropped image (Image Size: 250x200):<image>"
    assert answer == "It can be read.\n\n\\boxed{KX7421}"
    assert row["images"] == ["1.png", "2.png"] and row["system"] == "You are a helpful assistant."
    assert isinstance(row["tools"], str) and len(json.loads(row["tools"])) == 2
    assert sheet.lost == {UNMASKED: 1, KNOWN: 1}


def test_results_of_a_family_with_marks_are_observations_and_a_bare_call_is_json():
    dossier = picture_dossier("qwen3-vl")
    silent = replace(dossier.trace.steps[1], thought="")
    row = row_of(replace(dossier, trace=replace(dossier.trace, steps=(silent, *dossier.trace.steps[2:]))))
    assert [message["from"] for message in row["conversations"]] == ["human", "function_call", "observation", "gpt"]
    assert json.loads(row["conversations"][1]["value"])["name"] == "image_zoom_in_tool"
    assert row["conversations"][2]["value"] == "<image>"


def test_turns_that_do_not_alternate_are_refused_and_what_is_beside_says_how_to_read_it():
    dossier = picture_dossier("studio")
    odd = replace(dossier.trace, steps=(Step("I think."), *dossier.trace.steps))
    with pytest.raises(InvalidInput, match="do not alternate"):
        row_of(replace(dossier, trace=odd))
    ((name, text),) = LLAMA_FACTORY.texts
    (info,) = json.loads(text).values()
    row = row_of(clip_dossier("studio"))
    assert name == "dataset_info.json" and info["file_name"] == LLAMA_FACTORY.file
    assert set(info["columns"].values()) <= set(row) and len(row["images"]) == 18


@settings(max_examples=60)
@given(traces(), st.sampled_from(PROTOCOLS))
def test_the_template_makes_what_the_model_answers_to(trace, name):
    dossier = Dossier(replace(trace, protocol=name), Example(trace.question, trace.media))
    try:
        row = row_of(dossier)
    except InvalidInput:
        return
    turns = row["conversations"]
    assert all((turn["from"] in ("gpt", "function_call")) == bool(place % 2) for place, turn in enumerate(turns))
    assert len(turns) % 2 == 0
    assert sum(turn["value"].count("<image>") for turn in turns) == len(row["images"])
    assert not any("<image>" in turn["value"] for turn in turns[1::2])
    if name != "studio":  # whose calls stand on one line, with two decimals
        assert templated(row) == wire(dossier)
