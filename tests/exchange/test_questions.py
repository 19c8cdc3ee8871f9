"""Formats of questions: pixel-reasoner-rl both ways, DeepEyes and Mini-o3 in; rows made by hand in the real schemas."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.exchange import deepeyes, mini_o3
from engine.exchange import pixel_reasoner_rl as rl
from engine.exchange.arriving import Arrival, arrive
from engine.exchange.format import Brought, Question, Refused
from engine.exchange.leaving import export
from engine.exchange.sheet import Sheet
from engine.media import MediaFolder
from engine.operations import CropRule
from engine.store import Store
from engine.trace import Box, Example, Observation, Step, ZoomIn
from tests.browser.traces import picture_trace
from tests.exchange.executed import executed, noise, png


def write_columns(path, rows, schema=None) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), path)


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_a_question_is_read_as_it_was_written(shown, data):
    media, known, root = shown
    dossier = data.draw(executed(media, known, CropRule()))
    answers = data.draw(st.lists(st.sampled_from(("A", "<image>", "3.0", "zwei\nZeilen")), min_size=1, unique=True))
    example = replace(dossier.example, answer=answers[0], other_answers=tuple(answers[1:]), source="vstar/7")
    (row,) = rl.PIXEL_REASONER_RL.rows(replace(dossier, example=example), Sheet(media, root))
    write_columns(root / rl.FILE_NAME, [row], rl.PIXEL_REASONER_RL.schema())
    (read,) = rl.read(root)
    assert isinstance(read, Question), read
    assert replace(read.example, source="") == replace(example, media=(), source="")
    assert read.original_id == f"vstar-{dossier.id}" and len(read.files) == 1


def test_a_question_goes_once_however_many_attempts_there_are(tmp_path):
    with Store(tmp_path / "annotations.db") as store, Store(tmp_path / "other.db") as other:
        media = MediaFolder(tmp_path / "media")
        for seed in (1, 1, 2, 1):
            picture_trace(store, media, seed)
        written = export(store, media, rl.PIXEL_REASONER_RL, tmp_path / "out")
        assert (written.traces, written.lost[rl.ATTEMPTS]) == (2, 2)
        into = Arrival(other, MediaFolder(tmp_path / "other"), "me", "set")
        assert arrive(rl.read(tmp_path / "out"), into)[0].sentence() == "2 examples came in"
        assert arrive(rl.read(tmp_path / "out"), into)[0].sentence() == "nothing came in, 2 were there already"
        assert [one.example.answer for one in other.examples.all_of("set")] == ["KX0001", "KX0002"]


def test_their_questions(tmp_path):
    noise(1, (320, 240)).save(tmp_path / "a.png")
    rows = [
        {"question": "<image>\nWhich?\n(A) red\n(B) blue", "answer": "A", "image": ["a.png"], "is_video": False,
         "qid": "vstar-1"},
        {"question": "What is <image>?\u2028", "answer": "x", "image": ["a.png", "a.png"], "is_video": False, "qid": "2"},
        {"question": "Q", "answer": "x", "image": [], "is_video": False, "qid": "3"},
        {"question": "<image>Q", "answer": "x", "image": ["a.png"] * 4, "is_video": True, "qid": "4"},
    ]  # fmt: skip
    write_columns(tmp_path / "theirs.parquet", rows)
    first, second, third, fourth = rl.read(tmp_path / "theirs.parquet")
    assert first.example == Example("Which?", (), "A", ("red", "blue"), source="theirs/vstar-1")
    assert (second.example.question, len(second.files)) == ("What is <image>?\u2028", 2)
    assert "at least one path" in third.reason and "16 frames, not 4" in fourth.reason


def test_deepeyes(tmp_path):
    picture = {"bytes": png(noise(2, (320, 240))), "path": "/elsewhere/x.jpg"}
    prompt = [
        {"role": "system", "content": "..."},
        {"role": "user", "content": "<image>\n\nQuestion:\nWhich?\nThink first, ..."},
    ]
    row = {
        "data_source": "vstar", "prompt": prompt, "images": [picture], "ability": "vl", "env_name": "visual_toolbox_v2",
        "reward_model": {"style": "rule", "ground_truth": "A"},
        "extra_info": {"split": "train", "index": 3, "answer": "A", "question": "Which?\n(A) red\n(B) blue"},
    }  # fmt: skip
    silent = row | {"extra_info": {"split": "train", "index": 4, "answer": "A", "question": None}}
    lost = row | {"images": [{"bytes": None, "path": "/etc/hostname"}]}
    write_columns(tmp_path / "train.parquet", [row, silent, lost])
    first, second, third = deepeyes.read(tmp_path)
    assert first.example == Example(
        "Which?", (), "A", ("red", "blue"), category="visual_toolbox_v2", source="train/train-3"
    )
    assert (first.original_id, first.files) == ("train-3", (picture["bytes"],))
    assert second.example.question == "Which?"
    assert isinstance(third, Refused) and "in the folder of the rows" in third.reason


def conversation() -> list[dict]:
    look = '<grounding>{"bbox_2d": [0.25, 0.25, 0.75, 0.75], "source": "original_image"}</grounding>'
    far = '<grounding>{"bbox_2d": [0.1, 0.1, 0.2, 0.2], "source": "observation_9"}</grounding>'
    nested = '<grounding>{"bbox_2d": [0.0, 0.0, 0.5, 0.5], "source": "observation_1"}</grounding>'
    seen = "After the above Action 0, here is the the zoom-in image (Observation 1):\n<image>.\nGo on."
    return [
        {"from": "system", "value": "You are a helpful assistant."},
        {"from": "human", "value": '<image>\nWhat colour is the coat? It\'s "new".'},
        {"from": "gpt", "value": f"<think>Closer.</think>{look}"},
        {"from": "human", "value": seen},
        {"from": "gpt", "value": f"<think>There?</think>{far}"},
        {"from": "human", "value": "Error: there is no such image."},
        {"from": "gpt", "value": f"<think>Closer still.</think>{nested}"},
        {"from": "human", "value": "here:\n<image>"},
        {"from": "gpt", "value": "<think>Now.</think><answer> Orange. </answer>"},
    ]


def test_mini_o3_is_a_python_literal_that_is_read_and_never_run(tmp_path):
    picture = noise(6, (400, 400))
    crops = [picture.crop((100, 100, 300, 300)), picture.crop((100, 100, 200, 200))]
    images = [{"bytes": png(one), "path": ""} for one in (picture, *crops)]
    marker = tmp_path / "ran"
    evil = f"[__import__('pathlib').Path({str(marker)!r}).touch()]"
    rows = [
        {"conversations": text, "images": images, "data_source": "visual_probe", "sample_index": 3, "rollout_index": 4}
        for text in (repr(conversation()), json.dumps(conversation()), evil, "[" * 100_000, repr(conversation()[:4]))
    ]
    write_columns(tmp_path / "train.parquet", rows)
    python, as_json, ran, deep, fewer = mini_o3.read(tmp_path)
    assert isinstance(python, Brought) and not python.notes and not marker.exists()
    trace = python.dossier.trace
    assert trace.question == 'What colour is the coat? It\'s "new".'
    assert [view.box for view in trace.views[1:]] == [Box(0.25, 0.25, 0.75, 0.75), Box(0.25, 0.25, 0.5, 0.5)]
    assert trace.steps[0] == Step("Closer.", ZoomIn(1, Box(0.25, 0.25, 0.75, 0.75)), Observation((2,)))
    assert trace.steps[1].operation is None and trace.steps[1].observation.error == "Error: there is no such image."
    assert trace.steps[2].operation == ZoomIn(2, Box(0.0, 0.0, 0.5, 0.5))
    assert trace.steps[3] == Step("Now.", answer="Orange.")
    assert python.dossier.example.source == "train/3-4"
    assert as_json.dossier.trace == trace
    for one in (ran, deep):
        assert isinstance(one, Refused) and "written in Python is expected" in one.reason
    assert isinstance(fewer, Refused) and "3 pictures for 2 placeholders" in fewer.reason
    with pytest.raises(InvalidInput, match="too many"):
        mini_o3.literal("1" * 5_000_000)


def test_mini_o3_s_questions_for_rl(tmp_path):
    noise(1, (320, 240)).save(tmp_path / "a.png")
    rows = [{"problem": "<image>\nHow many?", "solution": "3", "images": ["a.png"], "doc_id": 12}]
    (tmp_path / "rl.json").write_text(json.dumps(rows))
    (read,) = mini_o3.read(tmp_path / "rl.json")
    assert (read.example, read.original_id) == (Example("How many?", (), "3", source="rl/12"), "12")
