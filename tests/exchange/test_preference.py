"""Pairs for DPO: same history, two next turns, no picture in either."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from engine.exchange.leaving import export
from engine.exchange.preference import ALIKE, GONE, LATER, PREFERENCE, TIES, UNTAKEN, WRONG
from engine.media import MediaFolder
from engine.store import Dossier, Preferred, Store, Version
from engine.trace import Box, Observation, Step, View, ZoomIn
from tests.browser.traces import picture_trace
from tests.exchange.attempts import NamingSheet, picture_dossier

BETTER = Box(0.3, 0.5, 0.5, 0.75)


def rows_of(dossier: Dossier, sheet: NamingSheet | None = None) -> list[dict]:
    def read(row: dict) -> dict:
        return row | {
            name: [json.loads(one) for one in row[name]] for name in ("prompt", "chosen", "rejected", "tools")
        }

    return [read(row) for row in PREFERENCE.rows(dossier, sheet or NamingSheet())]


def edited(dossier: Dossier, place: int, step: Step, **known) -> Dossier:
    """The dossier after a person has changed a step of it."""
    trace = dossier.trace
    steps = (*trace.steps[:place], step, *trace.steps[place + 1 :])
    head = replace(trace, steps=steps)
    versions = (Version("1", None, 1, "tiny", "", trace), Version("2", "1", 2, "ann", "", head))
    return replace(dossier, trace=head, versions=versions, revision="2", revision_number=2, **known)


@pytest.mark.parametrize("name", ["pixel-reasoner", "qwen3-vl"])
def test_the_model_s_step_against_the_person_s(name):
    sheet = NamingSheet()
    dossier = picture_dossier(name)
    (row,) = rows_of(edited(dossier, 1, Step("Left of it.", ZoomIn(1, BETTER), Observation((2,)))), sheet)
    assert [message["role"] for message in row["prompt"]] == ["system", "user", "assistant", "user"]
    assert row["images"] == [{"path": "1.png"}]
    (chosen,), (rejected,) = row["chosen"], row["rejected"]
    assert chosen["role"] == rejected["role"] == "assistant"
    if name == "qwen3-vl":
        boxes = [side["tool_calls"][0]["function"]["arguments"]["bbox_2d"] for side in (chosen, rejected)]
        assert boxes == [[300, 500, 500, 750], [250, 500, 500, 750]]
    else:
        assert (
            chosen["content"][0]["text"].startswith("Left of it.") and '"bbox_2d": [0.3' in chosen["content"][0]["text"]
        )
        assert rejected["content"][0]["text"].startswith("Again.")
    assert (row["kind"], row["id"]) == ("edit", "one")
    assert sheet.lost == {LATER: 2}


def test_a_better_answer_has_the_crop_in_its_history():
    (row,) = rows_of(edited(picture_dossier("pixel-reasoner"), 2, Step("It can be read.", answer="KX7427")))
    assert row["images"] == [{"path": "1.png"}, {"path": "2.png"}]
    assert row["chosen"][0]["content"][0]["text"].endswith("\\boxed{KX7427}")


@pytest.mark.parametrize(
    ("place", "step", "loss"),
    [
        (1, Step("Again.", ZoomIn(1, Box(0.25, 0.5, 0.5, 0.75)), Observation((2,)), is_erroneous=True), ALIKE),
        (2, Step("It can be read.", answer="KX9", is_erroneous=True), WRONG),
        (2, Step("It can be"), WRONG),
        (1, Step("There?", ZoomIn(9, BETTER), Observation(error="there is no picture 9")), WRONG),
    ],
)
def test_what_is_no_pair_is_counted(place, step, loss):
    sheet = NamingSheet()
    assert rows_of(edited(picture_dossier("pixel-reasoner"), place, step), sheet) == []
    assert sheet.lost == {loss: 1}


def test_what_nobody_has_changed_and_what_was_rejected_makes_no_pair():
    sheet = NamingSheet()
    dossier = picture_dossier("pixel-reasoner")
    assert rows_of(dossier, sheet) == rows_of(edited(dossier, 2, Step("", answer="x"), status="rejected"), sheet) == []
    assert sheet.lost == {UNTAKEN: 2}


def test_a_choice_between_two_attempts_is_written_with_the_one_that_was_chosen():
    mine = picture_dossier("pixel-reasoner", revision="a")
    mine = replace(mine, trace=replace(mine.trace, steps=mine.trace.steps[1:]))
    theirs = replace(mine.trace, steps=(Step("I guess.", answer="KX0000"),), views=mine.trace.views[:1])
    attempts = {("two", "b"): theirs, ("one", "a"): mine.trace}

    def preferred(chosen: tuple[str, str], rejected: tuple[str, str], is_tie: bool = False) -> Preferred:
        return Preferred("p", chosen, rejected, is_tie, "ann", "", "")

    def at(*preferences: Preferred) -> tuple[list[dict], dict]:
        sheet = NamingSheet(versions=attempts)
        return rows_of(replace(mine, preferences=preferences), sheet), sheet.lost

    ((row,), lost) = at(preferred(("one", "a"), ("two", "b")))
    assert row["kind"] == "choice" and row["id"] == "p"
    assert row["rejected"][0]["content"][0]["text"] == "I guess.\n\n\\boxed{KX0000}"
    assert [message["role"] for message in row["prompt"]] == ["system", "user"] and lost == {LATER: 1}
    assert at(preferred(("two", "b"), ("one", "a"))) == ([], {})
    assert at(preferred(("one", "a"), ("two", "b"), is_tie=True)) == ([], {TIES: 1})
    assert at(preferred(("one", "a"), ("three", "c"))) == ([], {GONE: 1})


def test_out_of_a_store(tmp_path):
    media = MediaFolder(tmp_path / "media")
    with Store(tmp_path / "annotations.db") as store:
        first, second = picture_trace(store, media, 1), picture_trace(store, media, 1)
        trace = store.revisions.head(first.id).trace
        view = View(2, trace.media[0].sha256, None, BETTER)
        steps = (replace(trace.steps[0], operation=ZoomIn(1, BETTER)), *trace.steps[1:])
        head = store.revisions.append(
            first.id, replace(trace, views=(trace.views[0], view), steps=steps), "ann", first.head_id
        )
        store.preferences.record(head.id, second.head_id, "ann")
        report = export(store, media, PREFERENCE, tmp_path / "out")
    from datasets import load_dataset

    rows = load_dataset("parquet", data_files=str(report.file), split="train", cache_dir=str(tmp_path / "cache"))
    assert rows["kind"] == ["edit", "choice"] and report.lost == {LATER: 4}
    assert [len(row["images"]) for row in rows] == [1, 1] and rows[0]["images"][0].size == (1024, 768)
    assert rows[0]["chosen"] == rows[1]["chosen"] != rows[0]["rejected"]
