"""What is written for a trainer is read back as the attempt that it was, but for what the format loses."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.exchange.format import Brought, Refused
from engine.exchange.llama_factory import LLAMA_FACTORY
from engine.exchange.ms_swift import MS_SWIFT
from engine.exchange.sheet import Sheet
from engine.exchange.trl import TRL
from engine.exchange.writing import write
from engine.protocols import protocol_named
from engine.trace import Step, Trace, ZoomIn
from tests.exchange.executed import executed, noise

WORDS_OF = ("pixel-reasoner", "qwen3-vl", "studio", "mini-o3")


def essence(trace: Trace, *, has_masks: bool) -> tuple:
    """What must come back. A zoom into a crop may come back as the same region of the original; a clip comes back as another
    file with the same frames."""
    steps = [
        (step.thought, step.answer, type(step.operation), step.observation, step.is_erroneous and has_masks)
        for step in trace.steps
    ]
    views = [(view.number, view.frame) for view in trace.views]
    return trace.question, trace.is_operating, steps, views


def edges(trace: Trace) -> list[float]:
    return [edge for view in trace.views for edge in view.box.as_list()]


@pytest.mark.parametrize("format", [TRL, MS_SWIFT, LLAMA_FACTORY], ids=lambda one: one.name)
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_an_attempt_comes_back(shown, format, data):
    media, known, root = shown
    out = root / format.name
    name = data.draw(st.sampled_from(WORDS_OF))
    dossier = data.draw(executed(media, known, protocol_named(name).CROP_RULE))
    marks = data.draw(st.lists(st.booleans(), min_size=4, max_size=4))
    steps = tuple(
        replace(step, is_erroneous=mark and step.observation is not None and step.observation.error is None)
        for step, mark in zip(dossier.trace.steps, marks, strict=False)
    )
    trace = replace(dossier.trace, protocol=name, steps=steps)
    (out / format.file).unlink(missing_ok=True)
    report = write(format, lambda after: iter([replace(dossier, trace=trace)]), Sheet(media, out))
    assert report.left_out_count == 0, report.left_out
    (read,) = format.read(out)
    assert isinstance(read, Brought), read
    assert read.dossier.trace.protocol == name
    assert read.dossier.example.options == dossier.example.options
    found = read.dossier.trace
    is_masked = format is MS_SWIFT
    assert essence(found, has_masks=is_masked) == essence(trace, has_masks=is_masked)
    # Within the steps of the grids: 1/1000 of the picture, and of a crop.
    assert edges(found) == pytest.approx(edges(trace), abs=0.0021)
    if trace.media[0].kind == "image":
        assert found.media == trace.media


def test_a_row_of_somebody_else_s_is_known_by_its_operations_and_a_bad_one_is_refused(tmp_path):
    """Hand-made, as ms-swift's pages write agent rows."""
    noise(1, (400, 300)).save(tmp_path / "a.png")
    noise(1, (400, 300)).crop((100, 75, 200, 150)).save(tmp_path / "b.png")
    call = {"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.25, 0.25, 0.5, 0.5], "target_image": 1}}
    tools = json.dumps([{"type": "function", "function": {"name": "crop_image_normalized"}}])
    messages = [
        {"role": "user", "content": "<image>What colour?"},
        {"role": "assistant", "content": "I look closer.", "loss": True},
        {"role": "tool_call", "content": json.dumps(call)},
        {"role": "tool_response", "content": "<image>"},
        {"role": "assistant", "content": "\\boxed{red}"},
    ]
    good = {"messages": messages, "images": ["a.png", "b.png"], "tools": tools}
    rows = [
        good,
        good | {"images": ["a.png"]},
        good | {"images": ["a.png", "b.png", "b.png"]},
        good | {"images": ["../a.png", "b.png"]},
        good | {"tools": "[]"},
        good | {"messages": messages[1:2]},
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    first, *others = MS_SWIFT.read(tmp_path / "rows.jsonl")
    assert isinstance(first, Brought) and not first.notes
    zoom, answer = first.dossier.trace.steps
    assert isinstance(zoom.operation, ZoomIn) and zoom.operation.box.as_list() == [0.25, 0.25, 0.5, 0.5]
    assert (zoom.thought, answer) == ("I look closer.", Step("", answer="red"))
    reasons = [one.reason for one in others if isinstance(one, Refused)]
    for said, reason in zip(
        ("more <image> than pictures", "more pictures than <image>", "no file", "in whose words", "more pictures"),
        reasons,
        strict=True,
    ):
        assert said in reason


def test_pictures_of_a_parquet_file_are_inside_it(shown, tmp_path):
    media, (picture, _), _ = shown
    from tests.exchange.attempts import picture_dossier

    dossier = picture_dossier("pixel-reasoner")
    trace = replace(dossier.trace, media=(picture,), views=(), steps=(Step("", answer="red"),))
    trace = replace(trace, views=tuple(replace(view, sha256=picture.sha256) for view in dossier.trace.views[:1]))
    write(TRL, lambda after: iter([replace(dossier, trace=trace)]), Sheet(media, tmp_path / "out"))
    alone = (tmp_path / "out" / TRL.file).rename(tmp_path / "alone.parquet")
    shutil.rmtree(tmp_path / "out")
    (read,) = TRL.read(alone)
    assert isinstance(read, Brought)
    assert read.files == (media.path(picture.sha256).read_bytes(),)
    assert read.dossier.trace.media == (picture,)
