"""Chats with their pictures inside: the interface's schema, and back as they were."""

from __future__ import annotations

import base64
import io
import json

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.exchange import openai_chat
from engine.exchange.format import Brought, Refused
from engine.exchange.sheet import Sheet
from engine.exchange.writing import json_line
from engine.operations import CropRule
from engine.trace import Box, Observation, Step, ZoomIn
from tests.exchange.executed import executed, noise, png


def address(picture: Image.Image) -> dict:
    url = "data:image/png;base64," + base64.b64encode(png(picture)).decode()
    return {"type": "image_url", "image_url": {"url": url, "detail": "auto"}}


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_what_is_written_is_read_as_it_was(shown, data):
    media, known, root = shown
    dossier = data.draw(executed(media, known, CropRule()))
    sheet = Sheet(media, root)
    (row,) = openai_chat.OPENAI_CHAT.rows(dossier, sheet)
    pictures = [
        part for message in row["messages"] if isinstance(message["content"], list) for part in message["content"]
    ]
    assert sum(part["type"] == "image_url" for part in pictures) == len(dossier.trace.views)
    assert all(
        isinstance(message["content"], str) for message in row["messages"] if message["role"] in ("assistant", "tool")
    )
    (root / openai_chat.FILE_NAME).write_bytes(json_line(row))
    (read,) = openai_chat.read(root)
    assert isinstance(read, Brought), read
    found, expected = read.dossier.trace, dossier.trace
    assert (found.question, read.dossier.example.options) == (expected.question, dossier.example.options)
    assert found.steps == expected.steps and not read.notes
    assert [(view.frame, view.box) for view in found.views] == [(view.frame, view.box) for view in expected.views]


def test_a_row_made_by_hand(tmp_path):
    picture = noise(4, (400, 300))
    crop = picture.crop((100, 75, 200, 150))
    arguments = json.dumps({"bbox_2d": [0.25, 0.25, 0.5, 0.5], "target_image": 1})
    call = {"id": "c", "type": "function", "function": {"name": "zoom_in", "arguments": arguments}}
    messages = [
        {"role": "developer", "content": "Answer."},
        {"role": "user", "content": [address(picture), {"type": "text", "text": "Which?"}]},
        {"role": "assistant", "content": None, "tool_calls": [call], "weight": 0},
        {"role": "tool", "tool_call_id": "c", "content": "here"},
        {"role": "user", "content": [address(crop)]},
        {"role": "assistant", "content": "It is \\boxed{red}"},
    ]
    bad = [
        messages[:2] + [messages[4]],
        [messages[1], {"role": "assistant", "content": [address(crop)]}],
        [messages[1], {"role": "assistant", "content": "", "tool_calls": [call, call]}],
        [{"role": "user", "content": "no picture"}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}]}],
        [{"role": "user", "content": [{"type": "input_audio"}]}],
    ]
    rows = [{"messages": messages}, *({"messages": one} for one in bad)]
    (tmp_path / "chat.jsonl").write_bytes(b"".join(map(json_line, rows)))
    good, *refused = openai_chat.read(tmp_path / "chat.jsonl")
    assert isinstance(good, Brought) and not good.notes
    zoom = Step("", ZoomIn(1, Box(0.25, 0.25, 0.5, 0.5)), Observation((2,)), is_erroneous=True)
    assert good.dossier.trace.steps == (zoom, Step("It is", answer="red"))
    assert Image.open(io.BytesIO(good.files[0])).size == (400, 300)
    for one, words in zip(
        refused,
        ("of the assistant is expected", "which no model says", "not 2 calls", "no picture", "nothing is fetched",
         "not 'input_audio'"),
        strict=True,
    ):  # fmt: skip
        assert isinstance(one, Refused) and words in one.reason
