"""Reading a person's EXAMPLES.jsonl: what is taken, and what every complaint says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from engine.errors import InvalidInput, InvalidMedia
from engine.evaluation.examples import pose, read_examples
from engine.media import write_clip
from engine.trace import Box, Evidence


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    Image.new("RGB", (40, 30), "red").save(tmp_path / "pictures" / "red.png")
    Image.new("RGB", (40, 30), "blue").save(tmp_path / "blue.jpg")
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    return tmp_path


def write(folder: Path, *records: object) -> Path:
    path = folder / "EXAMPLES.jsonl"
    path.write_text(
        "\n".join(r if isinstance(r, str) else json.dumps(r, ensure_ascii=False) for r in records), encoding="utf-8"
    )
    return path


GOOD = {"question": "Which colour?", "media": "pictures/red.png", "answer": "red"}


def test_everything_that_an_example_may_hold(folder):
    path = write(
        folder,
        GOOD | {"evidence": {"boxes": [[0, 0.1, 0.5, 1]]}, "note": "left alone"},
        "",
        GOOD | {"answer": 7, "options": None, "evidence": None},
        GOOD | {"answer": "b", "options": ["blue", "red"]},
        GOOD | {"answer": None, "media": ["pictures/red.png", "blue.jpg"]},
        GOOD | {"question": "¿Qué?", "media": str(folder / "blue.jpg")},
    )
    lines = read_examples(path)
    assert [line.name for line in lines] == [f"EXAMPLES.jsonl, line {k}" for k in (1, 3, 4, 5, 6)]
    assert lines[0].example.evidence == Evidence(boxes=(Box(0, 0.1, 0.5, 1),))
    assert [line.example.answer for line in lines] == ["red", "7", "b", None, "red"]
    assert lines[2].example.options == ("blue", "red")
    posed = pose(lines[3])
    assert [medium.width for medium in posed.example.media] == [40, 40]
    assert set(posed.pictures) == {medium.sha256 for medium in posed.example.media}
    assert posed.example.answer is None
    assert lines[4].example.question == "¿Qué?"


def test_how_an_example_is_marked_reaches_whoever_scores_it(folder):
    marked = GOOD | {"rule": "anls", "category": "table", "difficulty": "hard", "other_answers": ["crimson", 7]}
    posed, plain = (pose(line) for line in read_examples(write(folder, marked, GOOD)))
    one, other = posed.example, plain.example
    assert (one.rule, one.category, one.difficulty) == ("anls", "table", "hard")
    assert one.other_answers == ("crimson", "7")
    assert (other.rule, other.category, other.difficulty, other.other_answers) == (None, None, None, ())
    assert (one.source, other.source) == ("EXAMPLES.jsonl/1", "EXAMPLES.jsonl/2")


def test_a_byte_order_mark_and_windows_lines_are_read(folder):
    path = folder / "EXAMPLES.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\r\n" + json.dumps(GOOD).encode() + b"\r\n")
    assert len(read_examples(path)) == 2


def without(field: str) -> dict:
    return {key: value for key, value in GOOD.items() if key != field}


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("{'question': 1}", ["not JSON", "column 2"]),
        ("[" * 100_000, ["not JSON"]),
        ([1, 2], ["a JSON object is expected", "[1, 2]"]),
        (without("question"), ["'question' is missing"]),
        (without("media"), ["'media' is missing"]),
        (without("answer"), ["'answer' is missing", "null"]),
        (GOOD | {"question": ""}, ["question: a text is expected"]),
        (GOOD | {"question": 5}, ["question: a text is expected, not 5"]),
        (GOOD | {"media": 5}, ["media: a path", "not 5"]),
        (GOOD | {"media": []}, ["media: a path"]),
        (GOOD | {"media": "green.png"}, ["no file 'green.png'"]),
        (GOOD | {"media": "pictures"}, ["no file 'pictures'"]),
        (GOOD | {"media": "a\0b"}, ["no file"]),
        (GOOD | {"answer": ["red"]}, ["answer: a text, a number or null", '["red"]']),
        (GOOD | {"answer": True}, ["answer: a text", "true"]),
        (GOOD | {"answer": " "}, ["answer: a text"]),
        (GOOD | {"options": "red"}, ["options: a list"]),
        (GOOD | {"options": ["x"] * 27}, ["at most 26"]),
        (GOOD | {"answer": "C", "options": ["blue", "red"]}, ["a letter from A to B", '"C"']),
        (GOOD | {"evidence": [0, 0, 1, 1]}, ['{"boxes"']),
        (GOOD | {"evidence": {"box": [0, 0, 1, 1]}}, ['{"boxes"', '"box"']),
        (GOOD | {"evidence": {"boxes": [[0, 0, 1, 1]], "frames": [1]}}, ['{"boxes"']),
        (GOOD | {"evidence": {"boxes": []}}, ["a list of boxes"]),
        (GOOD | {"evidence": {"boxes": [0, 0, 1, 1]}}, ["evidence.boxes", "x1 < x2"]),
        (GOOD | {"evidence": {"boxes": [[10, 10, 200, 100]]}}, ["from 0 to 1", "[10, 10, 200, 100]"]),
        (GOOD | {"evidence": {"boxes": [[0.5, 0, 0.2, 1]]}}, ["x1 < x2"]),
        (GOOD | {"evidence": {"boxes": [[0, 0, "1", 1]]}}, ["evidence.boxes"]),
        (GOOD | {"evidence": {"frames": [0]}}, ["from 1 to 16", "[0]"]),
        (GOOD | {"evidence": {"frames": [17]}}, ["from 1 to 16"]),
        (GOOD | {"evidence": {"frames": 3}}, ["evidence.frames"]),
        (GOOD | {"rule": "exact"}, ["rule: one of text, letter, number, only-number, anls", '"exact"']),
        (GOOD | {"rule": ["anls"]}, ["rule: one of"]),
        (GOOD | {"category": 3}, ["category: a text is expected, not 3"]),
        (GOOD | {"difficulty": ""}, ["difficulty: a text"]),
        (GOOD | {"other_answers": "crimson"}, ["other_answers: a list is expected", '"crimson"']),
        (GOOD | {"other_answers": [["crimson"]]}, ["other_answers[0]: a text"]),
        (GOOD | {"other_answers": ["C"], "options": ["blue", "red"]}, ["other_answers[0]: a letter from A to B"]),
    ],
    ids=lambda value: str(value)[:60] if not isinstance(value, list) else "",
)
def test_a_complaint_names_line_field_and_what_is_expected(folder, record, said):
    with pytest.raises(InvalidInput) as error:
        read_examples(write(folder, GOOD, record))
    assert str(error.value).startswith("EXAMPLES.jsonl, line 2: ")
    for words in said:
        assert words in str(error.value)
    assert len(str(error.value)) < 400


def test_a_file_without_examples_is_refused(folder):
    with pytest.raises(InvalidInput, match="no examples"):
        read_examples(write(folder, "", "  "))
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_examples(folder / "nothing.jsonl")
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_examples(folder)
    (folder / "EXAMPLES.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="UTF-8"):
        read_examples(folder / "EXAMPLES.jsonl")


def test_media_that_cannot_be_decoded_name_their_line(folder):
    (line,) = read_examples(write(folder, GOOD | {"media": "broken.png"}))
    with pytest.raises(InvalidMedia, match=r"^EXAMPLES.jsonl, line 1: .*damaged"):
        pose(line)


def test_evidence_must_fit_the_media(folder):
    write_clip([Image.new("RGB", (64, 48), "red")] * 16, folder / "clip.mp4", 4)
    of_image, of_clip, fitting = read_examples(
        write(
            folder,
            GOOD | {"evidence": {"frames": [1]}},
            GOOD | {"media": "clip.mp4", "evidence": {"boxes": [[0, 0, 1, 1]]}},
            GOOD | {"media": "clip.mp4", "evidence": {"frames": [1, 2]}},
        )
    )
    with pytest.raises(InvalidInput, match="line 1: evidence has frames"):
        pose(of_image)
    with pytest.raises(InvalidInput, match="line 2: evidence has boxes"):
        pose(of_clip)
    assert pose(fitting).example.evidence == Evidence(frames=(1, 2))
