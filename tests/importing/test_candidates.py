"""Cells and columns: the many ways in which tables say the same, and what is asked instead of guessed."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.importing.candidates import Reading, complete, read_row
from engine.importing.cells import boxes_in, embedded_bytes, options_in, structure_in, text_in, whole_in
from engine.importing.columns import ROLES, Columns, guess
from engine.importing.places import FolderPlace
from engine.importing.tables import Row
from engine.trace import Box, Evidence, Media

PICTURE = Media("a" * 64, "image", 200, 100)
CLIP = Media("b" * 64, "video", 200, 100)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200)) * 2
PLAIN = Columns(media=("image",), question="question", options=("options",), answer="answer", evidence="boxes")


def example(tmp_path, columns: Columns = PLAIN, media: Media = PICTURE, **values):
    (tmp_path / "1.png").touch()
    row = Row(1, {"image": "1.png", "question": "Which?", **values})
    return complete(read_row(row, Reading(columns, FolderPlace(tmp_path, True), "", 1000)), [media], "set")


@given(st.lists(st.text(min_size=1).filter(str.strip), max_size=5))
def test_options_are_the_same_as_a_list_as_json_and_as_a_literal(options):
    found = options_in(options)
    assert found == options_in(json.dumps(options)) == options_in(repr(options)) == options_in(tuple(options))
    letters = dict(zip("ABCDE", options, strict=False))
    assert found == options_in(letters) == options_in(json.dumps(letters))
    assert found == options_in([*options, None, "", math.nan, "nan"]) == options_in({"text": options, "label": []})


def test_what_is_nothing_and_what_is_a_gap():
    for nothing in (None, math.nan, "", " ", "nan", "None", "[]", []):
        assert options_in(nothing) == ()
    with pytest.raises(InvalidInput, match="option B is empty"):
        options_in(["red", "", "blue"])
    with pytest.raises(InvalidInput, match="a list of options"):
        options_in("red or blue")
    assert options_in("['A. red', 'B. blue']") == ("red", "blue") and options_in(["A. red", "C. blue"])[0] == "A. red"


def test_literals_are_parsed_and_never_run():
    text = "[__import__('os').getcwd()]"
    assert structure_in(text) == text
    deep = "[" * 100_000 + "]" * 100_000
    assert structure_in(deep) == deep


@pytest.mark.parametrize("value", [3, 3.0, "3", "3.0", " 3 "])
def test_a_number_is_a_number_whatever_its_column_was(tmp_path, value):
    assert whole_in(value) == 3
    assert example(tmp_path, replace(PLAIN, rule_for_all="number"), answer=value).answer == "3"
    assert text_in(2.5) == "2.5" and whole_in(2.5) is None and whole_in(True) is None and whole_in("12a") is None


def test_answers_with_options(tmp_path):
    options = ["cat", "dog", "7"]
    assert example(tmp_path, options=options, answer="dog").answer == "dog"
    assert example(tmp_path, options=options, answer="(B)").answer == "(B)"
    assert example(tmp_path, options=options, answer=7).answer == "7", "an option's own text"
    with pytest.raises(InvalidInput, match="may count the options from 0 or from 1"):
        example(tmp_path, options=options, answer=1)
    for start, letter in ((0, "B"), (1, "A")):
        assert (
            example(tmp_path, replace(PLAIN, answer_counts_from=start), options=options, answer="1.0").answer == letter
        )
    with pytest.raises(InvalidInput, match="no option 3, counted from 0"):
        example(tmp_path, replace(PLAIN, answer_counts_from=0), options=options, answer=3)
    with pytest.raises(InvalidInput, match="a letter from A to C"):
        example(tmp_path, options=options, answer="bird")
    assert example(tmp_path, options=options, answer=math.nan).answer is None


def test_several_answers_and_the_ten_of_vqa(tmp_path):
    found = example(tmp_path, answer=["12%", "12 percent", "12%"])
    assert (found.answer, found.other_answers) == ("12%", ("12 percent",))
    ten = [{"answer": "two"}, {"answer": "three"}, {"answer": "three"}]
    assert example(tmp_path, answer=ten).answer == "three"
    assert example(tmp_path, answer='["a", "b"]').other_answers == ("b",)


def test_boxes_in_every_spelling_and_unit(tmp_path):
    wanted = Evidence((Box(0.1, 0.2, 0.5, 0.8),))
    spellings = (
        [0.1, 0.2, 0.5, 0.8],
        [[0.1, 0.2, 0.5, 0.8]],
        "0.1 0.2, 0.5,0.8",
        {"x1": 0.1, "y1": 0.2, "x2": 0.5, "y2": 0.8},
    )
    for boxes in (*spellings, json.dumps([spellings[0]]), {"boxes": [spellings[0]]}, [{"bbox": spellings[0]}]):
        assert example(tmp_path, boxes=boxes).evidence == wanted
    pixels, thousandths = replace(PLAIN, box_unit="pixels"), replace(PLAIN, box_unit="thousandths")
    assert example(tmp_path, pixels, boxes=[20, 20, 100, 80]).evidence == wanted
    assert example(tmp_path, replace(pixels, box_form="size"), boxes=[20, 20, 80, 60]).evidence == wanted
    assert example(tmp_path, thousandths, boxes="[100, 200, 500, 800]").evidence == wanted
    assert example(tmp_path, pixels, boxes=[0, 0, 201, 101]).evidence == Evidence((Box.full(),))
    with pytest.raises(InvalidInput, match="pixels of a picture of 200x100"):
        example(tmp_path, pixels, boxes=[0, 0, 300, 50])
    with pytest.raises(InvalidInput, match="may be pixels or thousandths"):
        example(tmp_path, boxes=[20, 20, 100, 80])
    for wrong in ([1, 2, 3], "left", [[1, 2, 3, "x"]], {"a": 1}):
        with pytest.raises(InvalidInput, match="boxes: a box of four numbers"):
            example(tmp_path, boxes=wrong)
    assert boxes_in(None) == boxes_in("[]") == ()


def test_frames_are_evidence_of_clips_alone(tmp_path):
    columns = replace(PLAIN, evidence=None, frames="frames")
    for frames in ([3, 4], "3, 4", "[3.0, 4]", '["3", "4"]'):
        assert example(tmp_path, columns, CLIP, frames=frames).evidence == Evidence(frames=(3, 4))
    with pytest.raises(InvalidInput, match="the media is a picture"):
        example(tmp_path, columns, frames=3)
    with pytest.raises(InvalidInput, match="the media is a clip"):
        example(tmp_path, media=CLIP, boxes=[0, 0, 1, 1])
    with pytest.raises(InvalidInput, match="from 1 to 16"):
        example(tmp_path, columns, CLIP, frames=17)


def test_pictures_by_path_by_bytes_as_a_feature_and_never_by_address(tmp_path):
    reading = Reading(PLAIN, FolderPlace(tmp_path, True), "", 1000)
    (tmp_path / "1.png").touch()

    def files(value, reading=reading):
        return read_row(Row(1, {"image": value, "question": "?"}), reading).files

    coded = base64.b64encode(PNG).decode()
    for value in (
        PNG,
        {"bytes": PNG, "path": None},
        coded,
        "data:image/png;base64," + coded,
        [{"bytes": PNG, "path": "x.png"}],
    ):
        assert files(value)[0].read() == PNG
    assert files({"bytes": PNG, "path": "x.png"})[0].name == "x.png"
    assert [file.name for file in files('["1.png", "1.png"]')] == ["1.png", "1.png"]
    assert files({"bytes": None, "path": "1.png"})[0].read() == tmp_path / "1.png"
    with pytest.raises(InvalidInput, match="nothing is fetched from addresses"):
        files("https://example.org/1.png")
    fetched = replace(reading, fetch=lambda address: address.encode())
    assert files("https://example.org/1.png", fetched)[0].read() == b"https://example.org/1.png"
    for wrong, said in ((7, "the path of a picture"), ("2.png", "no file '2.png'"), (None, "no picture and no clip")):
        with pytest.raises(InvalidInput, match=said):
            files(wrong)
    assert embedded_bytes("short") is None


def test_placeholders_that_only_say_where_the_picture_stood_go(tmp_path):
    assert example(tmp_path, question="<image>\nWhich <b>?").question == "Which <b>?"
    assert (
        example(tmp_path, question="What does <image> say, and <image>?").question
        == "What does <image> say, and <image>?"
    )
    columns = replace(PLAIN, question=None, question_for_all="What is it?")
    assert example(tmp_path, columns).question == "What is it?"
    with pytest.raises(InvalidInput, match="question: there is no question"):
        example(tmp_path, question=" ")


MMMU = {
    "id": "validation_Art_1",
    "question": "What is in <image 1>?",
    "options": "['a cat', 'a dog']",
    "answer": "A",
    "image_1": {"bytes": PNG, "path": None},
    "image_2": None,
    "subfield": "Sketching",
}
EXAMPLES = {
    "question": "Q?",
    "media": "1.png",
    "answer": "x",
    "evidence": {"boxes": [[0, 0, 1, 1]]},
    "source": "me/1",
    "rule": "anls",
}
TSV = {
    "index": 3,
    "image": base64.b64encode(PNG).decode(),
    "question": "Q?",
    "A": "x",
    "B": "y",
    "C": "",
    "answer": "B",
    "category": "c",
}
COUNTED = {"img_path": "1.png", "query": "Q?", "choices": ["x", "y"], "label": 0, "bbox": [10, 20, 30, 40]}


def test_the_guess_on_the_tables_of_the_field():
    found = guess(list(MMMU), [MMMU]).columns
    assert (found.media, found.question, found.options, found.answer) == (
        ("image_1",),
        "question",
        ("options",),
        "answer",
    )
    assert (found.id, found.category) == ("id", "subfield")
    found = guess(list(EXAMPLES), [EXAMPLES]).columns
    assert (found.media, found.evidence, found.rule, found.id, found.box_unit) == (
        ("media",),
        "evidence",
        "rule",
        "source",
        "share",
    )
    found = guess(list(TSV), [TSV]).columns
    assert (found.media, found.options, found.id, found.answer) == (("image",), ("A", "B", "C"), "index", "answer")
    asked = guess(list(COUNTED), [COUNTED])
    assert (asked.columns.media, asked.columns.question, asked.columns.answer) == (("img_path",), "query", "label")
    assert [("from 0 or from 1" in one, "thousandths" in one) for one in asked.asks] == [(True, False), (False, True)]
    counted = {"image": "1.png", "question": "How many?", "answer": 3.0}
    assert guess(list(counted), [counted]).columns.rule_for_all == "number"
    nameless = guess(["foo", "bar"], [{"foo": "1", "bar": "2"}])
    assert [("of foo, bar seems to name" in one, "the question" in one) for one in nameless.asks] == [
        (True, False),
        (False, True),
    ]


def test_columns_survive_json_and_name_only_what_is_there():
    known = [*ROLES, "image"]
    columns = replace(PLAIN, media=("media",), options=("options",), evidence="evidence", box_unit="pixels")
    assert Columns.from_json(json.loads(json.dumps(columns.as_json())), known) == columns
    with pytest.raises(InvalidInput, match='no column "picture" for media; it has'):
        Columns.from_json({"media": ["picture"]}, known)
    with pytest.raises(InvalidInput, match="answer_counts_from: one of 0, 1"):
        Columns.from_json({"answer_counts_from": 2}, known)
