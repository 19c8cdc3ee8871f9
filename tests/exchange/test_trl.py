"""Rows as TRL's SFTTrainer takes them, and the file that `datasets` reads them from."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.errors import InvalidInput
from engine.exchange.declared import KNOWN, UNMASKED
from engine.exchange.leaving import export
from engine.exchange.trl import TRL
from engine.media import MediaFolder
from engine.settings import PROTOCOLS
from engine.store import Dossier, Store
from engine.trace import Example
from tests.browser.traces import clip_trace, picture_trace
from tests.exchange.attempts import NamingSheet, clip_dossier, picture_dossier, wire
from tests.strategies import traces


def row_of(dossier: Dossier, sheet: NamingSheet | None = None) -> dict:
    (row,) = TRL.rows(dossier, sheet or NamingSheet())
    return row | {name: [json.loads(one) for one in row[name]] for name in ("messages", "tools")}


def templated(row: dict) -> list[tuple[str, str]]:
    """The messages as the chat templates of Qwen2.5-VL and Qwen3-VL write them, without handing them `tools`."""
    said = []
    for message in row["messages"]:
        text = "".join("<image>" if part["type"] == "image" else part["text"] for part in message["content"])
        for call in message.get("tool_calls", ()):
            named = (
                f'{{"name": "{call["function"]["name"]}", "arguments": {json.dumps(call["function"]["arguments"])}}}'
            )
            text += ("\n" if message["content"] else "") + f"<tool_call>\n{named}\n</tool_call>"
        said.append((message["role"], text))
    return said


def test_a_row_of_a_family_whose_template_writes_calls():
    sheet = NamingSheet()
    row = row_of(picture_dossier("qwen3-vl"), sheet)
    system, asked, look, failed, _, seen, answer = row["messages"]
    assert asked["content"][0] == {"type": "image"} and asked["content"][1]["text"].startswith("What is written?")
    assert "# Tools" in system["content"][0]["text"] and row["tools"] == []
    assert look == {
        "role": "assistant",
        "content": [{"type": "text", "text": "Look."}],
        "tool_calls": [
            {
                "type": "function",
                "function": {
                    "name": "image_zoom_in_tool",
                    "arguments": {"bbox_2d": [250, 500, 500, 750], "label": "", "img_idx": 8},
                },
            }
        ],
    }
    assert failed["role"] == seen["role"] == "user"
    assert seen["content"][1:2] == [{"type": "image"}]
    assert answer["content"] == [{"type": "text", "text": "It can be read.\n\n\\boxed{KX7421}"}]
    assert row["images"] == [{"path": "1.png"}, {"path": "2.png"}]
    assert sheet.lost == {UNMASKED: 1, KNOWN: 1}


def test_a_row_of_a_family_whose_template_drops_them():
    row = row_of(clip_dossier("pixel-reasoner"))
    assert not any("tool_calls" in message for message in row["messages"])
    text = row["messages"][2]["content"][0]["text"]
    assert text.endswith('{"name": "select_frames", "arguments": {"target_frames": [4, 5]}}\n</tool_call>')
    assert [tool["function"]["name"] for tool in row["tools"]] == ["crop_image_normalized", "select_frames"]
    assert len(row["images"]) == 18


@settings(max_examples=60)
@given(traces(), st.sampled_from(PROTOCOLS))
def test_the_template_makes_what_the_model_answers_to(trace, name):
    dossier = Dossier(replace(trace, protocol=name), Example(trace.question, trace.media))
    try:
        row = row_of(dossier)
    except InvalidInput:
        return
    assert templated(row) == wire(dossier)
    placed = [message["role"] for message in row["messages"] for part in message["content"] if part["type"] == "image"]
    assert len(placed) == len(row["images"]) and set(placed) <= {"user"}


def test_a_thought_keeps_its_spaces_before_a_call():
    """Found by the property above: a thought of a carriage return was gone."""
    dossier = picture_dossier("qwen3-vl")
    steps = (replace(dossier.trace.steps[0], thought="\r"), *dossier.trace.steps[1:])
    dossier = replace(dossier, trace=replace(dossier.trace, steps=steps))
    assert templated(row_of(dossier)) == wire(dossier)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A picture's and a clip's attempts in a parquet file, and what was shown in them; the sources are gone."""
    root = tmp_path_factory.mktemp("trl")
    media = MediaFolder(root / "media")
    with Store(root / "annotations.db") as store:
        records = [picture_trace(store, media, 1, is_nested=True), clip_trace(store, media)]
        report = export(store, media, TRL, root / "out")
        heads = [store.revisions.head(record.id).trace for record in records]
    shown = [[Image.open(io.BytesIO(media.crop_png(view))) for view in trace.views] for trace in heads]
    kept = report.file.rename(root / "kept.parquet")
    shutil.rmtree(root / "out")
    shutil.rmtree(root / "media")
    return kept, shown, report


def test_the_file_holds_its_pictures_to_the_pixel(exported, tmp_path):
    from datasets import Image as Picture
    from datasets import load_dataset

    kept, shown, _ = exported
    rows = load_dataset("parquet", data_files=str(kept), split="train", cache_dir=str(tmp_path))
    assert isinstance(rows.features["images"].feature, Picture)
    for row, pictures in zip(rows, shown, strict=True):
        assert [one.convert("RGB").tobytes() for one in row["images"]] == [one.tobytes() for one in pictures]
    call = rows[1]["messages"][1]["content"][0]
    assert set(call) == {"type", "text"}, "the keys of other rows must not come in as nulls"
    assert rows[0]["messages"][-1]["role"] == "assistant" and rows[0]["tools"] == []
