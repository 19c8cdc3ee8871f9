"""Conversations for the released trainer: its schema, its coordinates, its roles, and what it cannot hold."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.exchange import pixel_reasoner_sft as sft
from engine.exchange.conversation import CUT_OFF
from engine.exchange.format import Brought
from engine.exchange.leaving import export
from engine.exchange.sheet import Sheet
from engine.exchange.writing import json_line
from engine.media import MediaFolder
from engine.operations import CropRule
from engine.protocols import pixel_reasoner
from engine.store import Store
from engine.trace import Box, Observation, Step, View, ZoomIn
from tests.browser.traces import BOX, clip_trace, picture_trace
from tests.exchange.executed import executed, noise


@pytest.fixture
def home(tmp_path):
    with Store(tmp_path / "annotations.db") as store:
        yield store, MediaFolder(tmp_path / "artifacts" / "media"), tmp_path / "out"


def written(home):
    store, media, out = home
    report = export(store, media, sft.PIXEL_REASONER_SFT, out)
    return report, json.loads(report.file.read_text(encoding="utf-8"))


def test_a_row_is_what_the_released_trainer_reads(home):
    store, media, out = home
    record = picture_trace(store, media, 1)
    report, (row,) = written(home)
    assert set(row) == {"message_list", "qid"} and row["qid"] == record.id
    system, asked, look, seen, answer = row["message_list"]
    assert [one["role"] for one in row["message_list"]] == ["system", "user", "assistant", "user", "assistant"]
    assert "# Tools" in system["content"][0]["text"]
    picture, question = asked["content"]
    assert picture["type"] == "image" and Image.open(out / picture["image"]).size == (1024, 768)
    assert question["text"].startswith("What is written on the red disc?\n\nGuidelines: ")
    call = json.loads(look["content"][0]["text"].split("<tool_call>")[1].split("</tool_call>")[0])
    assert call == {"name": "crop_image_normalized", "arguments": {"bbox_2d": BOX.as_list(), "target_image": 1}}
    said, crop = seen["content"]
    assert said["text"] == "\nHere is the cropped image (Image Size: 205x154):"
    assert Image.open(out / crop["image"]).size == (205, 154)
    assert answer["content"][0]["text"].endswith("\\boxed{KX0001}")
    assert report.lost == {sft.UNPADDED: 1, sft.KNOWN: 1}


def test_a_clip_is_a_list_of_frames_and_what_follows_it_is_picture_two(home):
    store, media, out = home
    clip_trace(store, media, is_zoomed=True)
    _, (row,) = written(home)
    _, asked, select, seen, zoom, _, _ = row["message_list"]
    (clip, _) = asked["content"]
    assert clip["type"] == "video" and len(clip["video"]) == 16
    assert len({(out / name).name for name in clip["video"]}) == 16
    assert '"target_frames": [4, 5]' in select["content"][0]["text"]
    assert [part["type"] for part in seen["content"]] == ["text", "image", "image"]
    assert seen["content"][1]["image"] == clip["video"][3]
    assert '"target_image": 2' in zoom["content"][0]["text"]


def test_edges_erroneous_steps_and_words_of_placeholders(home):
    store, media, _ = home
    record = picture_trace(store, media, 1, question="What does <image> mean?")
    trace = store.revisions.head(record.id).trace
    right = Box(0.5, 0.5, 1.0, 1.0)
    view = View(2, trace.media[0].sha256, None, right)
    steps = (
        Step("There?", ZoomIn(1, right), Observation((2,)), is_erroneous=True),
        Step("A <|image_pad|>."),
    )
    store.revisions.append(record.id, replace(trace, views=(trace.views[0], view), steps=steps), "ann", record.head_id)
    report, (row,) = written(home)
    text = row["message_list"][2]["content"][0]["text"]
    assert "[0.5, 0.5, 0.9999, 0.9999]" in text
    assert (report.lost[sft.AT_EDGE], report.lost[sft.UNMASKED], report.lost[sft.ESCAPED]) == (2, 2, 2)
    assert report.lost[CUT_OFF] == 1
    texts = [part["text"] for turn in row["message_list"] for part in turn["content"] if part["type"] == "text"]
    assert not any("<image>" in text or "<|image_pad|>" in text for text in texts)
    assert any("<\u2060image>" in text for text in texts)


def test_what_cannot_be_said_is_left_out_and_told(home):
    store, media, _ = home
    record = picture_trace(store, media, 1)
    trace = store.revisions.head(record.id).trace
    steps = (*trace.steps[:-1], replace(trace.steps[-1], answer="}"))
    store.revisions.append(record.id, replace(trace, steps=steps), "ann", record.head_id)
    picture_trace(store, media, 2)
    report, rows = written(home)
    assert (len(rows), report.traces, report.left_out_count) == (1, 1, 1)
    assert report.left_out[0].trace_id == record.id and "cannot be written" in report.left_out[0].why
    assert "Traces that were left out: 1." in report.sentences()


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_what_is_written_is_read_as_it_was(shown, data):
    media, known, root = shown
    rule = data.draw(st.sampled_from((pixel_reasoner.CROP_RULE, CropRule())))
    dossier = data.draw(executed(media, known, rule))
    sheet = Sheet(media, root)
    (row,) = sft.PIXEL_REASONER_SFT.rows(dossier, sheet)
    (root / sft.FILE_NAME).write_bytes(json_line([row]))
    (read,) = sft.read(root / sft.FILE_NAME)
    assert isinstance(read, Brought), read
    found, expected = read.dossier.trace, dossier.trace
    assert not read.notes
    assert read.dossier.example.options == dossier.example.options
    assert (found.question, found.stop_reason, found.is_operating) == (expected.question, "answered", True)
    assert without_media(found) == without_media(expected)
    if expected.media[0].kind == "image":
        assert found.media == expected.media


def without_media(trace):
    """Steps and regions: a clip comes back as another file with the same frames, and marks of errors are lost."""
    steps = tuple(replace(step, is_erroneous=False) for step in trace.steps)
    return steps, [(view.number, view.frame, view.box) for view in trace.views]


def test_a_row_of_theirs_with_pixels_and_padding(tmp_path):
    """Hand-made in the published schema: pixels, a padded crop as JPEG, the Space's resizing, and no bounds to trust."""
    picture = noise(3, (1000, 800))
    (tmp_path / "images").mkdir()
    picture.save(tmp_path / "images" / "x.png")
    # 300..500 x 200..400 with a tenth of the picture around it, shrunk as the released code does.
    picture.crop((200, 120, 600, 480)).resize((200, 180)).save(tmp_path / "images" / "x_crop.jpg", quality=80)
    call = '{"name": "crop_image_normalized", "arguments": {"bbox_2d": [300, 200, 500, 400], "target_image": 1}}'
    messages = [
        {"role": "system", "content": [{"type": "text", "text": "You are a helpful assistant.\n\n# Tools\n..."}]},
        {"role": "user", "content": [
            {"type": "image", "image": "images/x.png"},
            {"type": "text", "text": "Q\u2028?\n(A) red\n(B) blue\n\nGuidelines: Understand the given ... \\boxed{}."}]},
        {"role": "assistant", "content": [{"type": "text", "text": f"Closer. <tool_call>\n{call}\n</tool_call>"}]},
        {"role": "user", "content": [
            {"type": "text", "text": "\nHere is the cropped image (Image Size: 200x180):"},
            {"type": "image", "image": "images/x_crop.jpg"}]},
        {"role": "assistant", "content": [{"type": "text", "text": "Red. \\boxed{A}"}]},
    ]  # fmt: skip
    rows = [
        {"message_list": messages, "qid": "abc-1"},
        {"message_list": [messages[1], messages[3]]},
        {"message_list": [{"role": "user", "content": [{"type": "image", "image": "../secret.png"}]}]},
        7,
    ]
    (tmp_path / "data.json").write_text(json.dumps(rows), encoding="utf-8")
    good, *bad = sft.read(tmp_path / "data.json")
    assert isinstance(good, Brought) and not good.notes
    trace = good.dossier.trace
    assert (trace.question, good.dossier.example.options) == ("Q\u2028?", ("red", "blue"))
    assert good.dossier.example.source == "data/abc-1"
    zoom, answer = trace.steps
    assert zoom == Step("Closer.", ZoomIn(1, Box(0.3, 0.25, 0.5, 0.5)), Observation((2,)))
    assert trace.views[1].box == Box(0.3 - 0.1, 0.25 - 0.1, 0.5 + 0.1, 0.5 + 0.1)
    assert answer == Step("Red.", answer="A")
    assert [one.place for one in bad] == ["row 2", "row 3", "row 4"]
    assert "take turns" in bad[0].reason and "in the folder of the rows" in bad[1].reason
    assert "an object is expected" in bad[2].reason
