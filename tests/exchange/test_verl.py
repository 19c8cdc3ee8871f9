"""Questions with rewards as verl reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.exchange.leaving import export
from engine.exchange.verl import ATTEMPTS, VERL
from engine.media import MediaFolder
from engine.store import Dossier, Store
from engine.trace import Box, Evidence, Trace, first_views
from tests.browser.traces import picture_trace
from tests.exchange.attempts import NamingSheet, clip_dossier, picture_dossier
from tests.strategies import examples


def row_of(dossier: Dossier, sheet: NamingSheet | None = None) -> dict:
    (row,) = VERL.rows(dossier, sheet or NamingSheet())
    return row


def test_a_row_in_the_real_schema():
    dossier = picture_dossier("pixel-reasoner", question="What does <image> say?")
    known = replace(
        dossier.example, options=("KX7421", "x"), other_answers=("A",), evidence=Evidence((Box(0, 0, 1, 0.5),))
    )
    sheet = NamingSheet()
    row = row_of(replace(dossier, example=known), sheet)
    system, asked = row["prompt"]
    assert system["role"] == "system" and "# Tools" in system["content"]
    assert asked["role"] == "user" and asked["content"].startswith("<image>What does <\u2060image> say?\n(A) KX7421")
    assert row["images"] == [{"path": "1.png"}]
    assert (row["data_source"], row["ability"]) == ("signs", "visual_reasoning")
    assert row["reward_model"] == {"style": "rule", "ground_truth": "KX7421"}
    info = row["extra_info"]
    assert (info["qid"], info["index"], info["is_video"]) == ("one", 1, False)
    assert info["question"] == "What does <image> say?" and info["answers"] == ["KX7421", "A"]
    assert info["boxes"] == [[0, 0, 1, 0.5]]
    assert sheet.lost[ATTEMPTS] == 1


def test_a_clip_is_its_frames_with_a_placeholder_each():
    row = row_of(clip_dossier("pixel-reasoner"))
    assert row["prompt"][-1]["content"].count("<image>") == len(row["images"]) == 16
    assert row["extra_info"]["is_video"]


def test_a_question_without_an_answer_gives_no_reward():
    dossier = picture_dossier("pixel-reasoner")
    with pytest.raises(InvalidInput, match="no gold answer"):
        row_of(replace(dossier, example=replace(dossier.example, answer=None)))


@given(examples().filter(lambda example: example.media), st.text(max_size=5))
def test_what_is_known_of_a_question_is_all_there(example, answer):
    example = replace(example, answer=answer)
    trace = Trace(example.question, example.media, first_views(example.media), (), "failed", "", "studio")
    info = row_of(Dossier(trace, example))["extra_info"]
    evidence = example.evidence or Evidence()
    assert info["question"] == example.question and tuple(info["options"]) == example.options
    assert tuple(info["answers"]) == (answer, *example.other_answers)
    assert tuple(Box(*box) for box in info["boxes"]) == evidence.boxes and tuple(info["frames"]) == evidence.frames
    said = (info["rule"], info["category"], info["difficulty"], info["source"])
    assert said == (example.rule, example.category, example.difficulty, example.source)


def test_a_question_is_one_row_however_many_attempts(tmp_path):
    import pandas

    media = MediaFolder(tmp_path / "media")
    with Store(tmp_path / "annotations.db") as store:
        for seed in (1, 1, 2):
            record = picture_trace(store, media, seed)
        report = export(store, media, VERL, tmp_path / "out")
        original = media.path(store.revisions.head(record.id).trace.media[0].sha256).read_bytes()
    rows = pandas.read_parquet(report.file)
    assert list(rows["reward_model"].map(lambda one: one["ground_truth"])) == ["KX0001", "KX0002"]
    assert rows["images"][1][0]["bytes"] == original, "RLHFDataset reads bytes, and drops rows where they are null"
