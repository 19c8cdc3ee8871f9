"""What a person names, opened and looked at: every format gives the same examples, and nothing is stored for it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.commands import import_data
from engine.errors import InvalidInput
from engine.evaluation.examples import read_examples
from engine.importing.columns import ROLES
from engine.importing.previews import preview
from engine.importing.sources import FORMATS, Source, name_for, open_source
from engine.media import DEFAULT_LIMITS
from engine.trace_json import example_to_json

from .conftest import png, rows

COUNT = 7


def shown(path: Path | str, format: str = "auto", said=None, **more):
    return preview(Source(str(path), format, **more), said, DEFAULT_LIMITS)


def said_of(path: Path | str, format: str = "auto", **more) -> list[tuple]:
    found = shown(path, format, **more)
    return [
        (row.original_id, row.example and row.example.question, row.example and row.example.answer, row.problem)
        for row in found.rows
    ]


EXPECTED = [(row["id"], row["question"], row["answer"], "") for row in rows(5)]


def test_a_folder_a_zip_and_a_table_in_every_format_say_the_same(brought):
    folder = brought(COUNT)
    assert said_of(folder) == said_of(folder / "QUESTIONS.csv") == EXPECTED
    (folder / "q.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows(COUNT)))
    (folder / "q.json").write_text(json.dumps(rows(COUNT)))
    (folder / "q.tsv").write_text((folder / "QUESTIONS.csv").read_text().replace(",", "\t"))
    for name in ("q.jsonl", "q.json", "q.tsv"):
        assert said_of(folder / name) == said_of(folder, table=name) == EXPECTED
    archive = shutil.make_archive(str(folder), "zip", folder)
    assert said_of(archive, table="QUESTIONS.csv") == EXPECTED
    found = shown(archive)
    assert (found.table, found.tables) == ("q.jsonl", ("QUESTIONS.csv", "q.json", "q.jsonl", "q.tsv"))
    [picture] = found.rows[0].pictures
    assert (picture.width, picture.height, picture.kind) == (48, 32, "image") and picture.jpeg[:2] == b"\xff\xd8"
    with pytest.raises(InvalidInput, match="no table 'x.csv'"):
        shown(folder, table="x.csv")


def test_pictures_without_a_table_are_asked_one_question(brought):
    folder = brought(COUNT)
    assert (
        "say" not in said_of(folder, table=".")[0][3]
        and "no column is the question" in said_of(folder, table=".")[0][3]
    )
    found = shown(folder, said={"question_for_all": "Which colour?", "id": "name", "category": "folder"}, table=".")
    assert [(row.original_id, row.example.question, row.example.category) for row in found.rows] == [
        (str(k), "Which colour?", "pictures") for k in range(5)
    ]
    empty = folder / "empty"
    empty.mkdir()
    with pytest.raises(InvalidInput, match="neither a picture nor a table"):
        shown(empty)


def test_parquet_with_features_and_parts(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as parquet

    table = [row | {"image": {"bytes": png(k), "path": f"{k}.png"}} for k, row in enumerate(rows(COUNT))]
    for part, some in enumerate((table[:3], table[3:])):
        parquet.write_table(pa.Table.from_pylist(some), tmp_path / f"test-0000{part}-of-00002.parquet")
    assert said_of(tmp_path) == EXPECTED
    opened = open_source(Source(str(tmp_path)))
    for after in (0, 2, 3, 5):
        assert [row.number for row in opened.table.rows(after)] == list(range(after + 1, COUNT + 1))
    assert [row.values["id"] for row in opened.table.rows(3)] == ["q3", "q4", "q5", "q6"]
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(InvalidInput, match="x.parquet cannot be read as parquet"):
        shown(tmp_path / "x.parquet")


def test_a_saved_data_set_and_one_of_the_hub(brought, tmp_path):
    from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, Value, load_from_disk

    folder = brought(COUNT)
    table = [{**row, "image": str(folder / row["image"]), "category": k % 2} for k, row in enumerate(rows(COUNT))]
    features = Features(
        {name: Value("string") for name in ("id", "question", "answer")}
        | {"image": Image(), "category": ClassLabel(names=["even", "odd"])}
    )
    test = Dataset.from_list(table, features=features)
    DatasetDict({"test": test, "train": test.select(range(2))}).save_to_disk(tmp_path / "saved")
    test.save_to_disk(tmp_path / "one")
    moved = folder.rename(tmp_path / "elsewhere")  # the pictures are in the data set
    found = shown(tmp_path / "saved")
    moved.rename(folder)
    assert said_of(tmp_path / "saved") == said_of(tmp_path / "one", "dataset") == EXPECTED
    assert [row.example.category for row in found.rows] == ["even", "odd", "even", "odd", "even"]
    assert "'test' is read; there are also train" in found.notes[0]
    assert len(said_of(tmp_path / "saved", split="train")) == 2
    with pytest.raises(InvalidInput, match="no split 'x'; there are test, train"):
        shown(tmp_path / "saved", split="x")

    # A folder laid out like a data set of the Hub stands in for one: the library reads both alike.
    (tmp_path / "hub").mkdir()
    load_from_disk(tmp_path / "one").to_parquet(tmp_path / "hub" / "test-00000-of-00001.parquet")
    shutil.rmtree(folder)
    assert said_of(tmp_path / "hub", "hub") == EXPECTED
    assert [row.number for row in open_source(Source(str(tmp_path / "hub"), "hub")).table.rows(4)] == [5, 6, 7]


def test_examples_of_evaluate_are_read_as_evaluate_reads_them(brought):
    folder = brought(3)
    lines = [
        {
            "question": "Where\u2028is it?",
            "media": "pictures/0.png",
            "answer": None,
            "evidence": {"boxes": [[0, 0.5, 1, 1]]},
        },
        {"question": "How many?", "media": ["pictures/0.png", "pictures/1.png"], "answer": 3.0, "rule": "number"},
        {
            "question": "Which?",
            "media": "pictures/2.png",
            "answer": "B",
            "options": ["x", "y"],
            "category": "c",
            "other_answers": ["y"],
        },
    ]
    path = folder / "EXAMPLES.jsonl"
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")

    def without(data):
        return {name: value for name, value in data.items() if name not in ("media", "source")}

    ours = [without(example_to_json(row.example)) for row in shown(path).rows]
    assert ours == [without(example_to_json(one.example)) for one in read_examples(path)]
    assert [len(row.example.media) for row in shown(path).rows] == [1, 2, 1]


def test_what_cannot_be_opened_says_so(tmp_path):
    (tmp_path / "x.doc").touch()
    for source, said in (
        (Source(str(tmp_path / "none")), "there is nothing at"),
        (Source(str(tmp_path / "x.doc")), "x.doc is neither a folder nor a zip"),
        (Source(str(tmp_path), "csv"), "is a folder, and no csv"),
        (Source(str(tmp_path / "x.doc"), "folder"), "is no folder"),
        (Source(str(tmp_path), "dataset"), "cannot be read as a saved data set"),
    ):
        with pytest.raises(InvalidInput, match=said):
            open_source(source)


def test_names_and_lists_that_the_command_repeats():
    assert [name_for(Source(path)) for path in ("/a/My set.csv", "/a/b.c/", "owner/name", "/a/x.zip")] == [
        "My set",
        "b.c",
        "name",
        "x",
    ]
    assert import_data.FORMATS[: len(FORMATS)] == FORMATS and import_data.ROLES == ROLES
