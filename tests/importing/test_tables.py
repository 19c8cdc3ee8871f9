"""CSV, TSV, JSONL and JSON as people really have them: encodings, separators, broken rows, line ends that are none."""

from __future__ import annotations

import csv
import io
import json
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidInput
from engine.importing.delimited import open_delimited
from engine.importing.json_tables import open_json, open_json_lines

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=12)


def delimited(content: bytes, name: str = "q.csv"):
    return open_delimited(partial(io.BytesIO, content), name)


def json_lines(text: str):
    return open_json_lines(partial(io.BytesIO, text.encode()), "q.jsonl")


def json_file(data) -> object:
    content = data if isinstance(data, bytes) else json.dumps(data).encode()
    return open_json(partial(io.BytesIO, content), len(content), "q.json")


def values(table, after: int = 0):
    return [dict(row.values) or row.problem for row in table.rows(after)]


def written(rows, separator: str = ",") -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(rows)
    return text.getvalue()


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=6), st.sampled_from(",;\t|"))
def test_whatever_a_program_wrote_comes_back_cell_by_cell(rows, separator):
    table = delimited(written([("id", "question"), *rows], separator).encode())
    assert [tuple(row.values.values()) for row in table.rows()] == rows
    assert [tuple(row.values.values()) for row in table.rows(after=1)] == rows[1:] and table.count() == len(rows)


@pytest.mark.parametrize(
    ("encoding", "note"),
    [("utf-8", ""), ("utf-8-sig", ""), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16-LE"), ("cp1252", "Windows-1252")],
)
def test_the_encoding_is_found_out_and_said(encoding, note):
    table = delimited('id;question\r\n1;"Où est\nl’enseigne?"\r\n'.encode(encoding))
    assert values(table) == [{"id": "1", "question": "Où est\nl’enseigne?"}]
    assert note in " ".join(table.notes) and "semicolons" in " ".join(table.notes)


def test_a_separator_of_line_ends_that_are_none_and_excels_own_first_line():
    assert values(delimited("id,q\n1,a\u2028b\n".encode())) == [{"id": "1", "q": "a\u2028b"}]
    assert values(delimited(b"sep=;\r\nid;q\r\n1;a,b\r\n")) == [{"id": "1", "q": "a,b"}]
    assert values(delimited(b"id\tq\n1\ta,b,c\n", "q.tsv")) == [{"id": "1", "q": "a,b,c"}]
    assert delimited(b"q,,q\n1,2,3\n").columns == ("q", "column 2", "q (3)")


def test_a_broken_row_costs_no_other_row():
    table = delimited(b'id,q\n1,a\n2,"b"c\n3,d,e\n\n4,f\n5,"g\n6,h\n')
    found = list(table.rows())
    assert [(row.number, dict(row.values)) for row in found if not row.problem] == [
        (1, {"id": "1", "q": "a"}),
        (4, {"id": "4", "q": "f"}),
    ]
    assert [(row.number, row.problem[:30]) for row in found if row.problem] == [
        (2, "line 3: a quotation mark withi"),
        (3, "the row has 3 cells and the he"),
        (5, "a quotation mark that opens in"),
    ]
    with pytest.raises(InvalidInput, match="no header"):
        delimited(b"")


def test_lines_of_json_end_at_line_ends_alone():
    table = json_lines('{"q": "a\u2028b", "n": NaN}\n\n[1]\n{"q": \n{"m": 1}')
    assert table.columns == ("q", "n", "m")
    assert [(row.number, row.values.get("q"), row.problem[:27]) for row in table.rows()] == [
        (1, "a\u2028b", ""),
        (3, None, "a JSON object is expected, "),
        (4, None, "this is not JSON (Expecting"),
        (5, None, ""),
    ]
    assert [row.number for row in table.rows(after=3)] == [4, 5] and table.count() == 5
    with pytest.raises(InvalidInput, match="there is none"):
        json_lines("\n")


@given(st.lists(st.dictionaries(texts, st.integers() | texts | st.lists(texts)), max_size=5))
def test_a_list_is_decoded_element_by_element(rows):
    rows = [{"id": 0}, *rows]
    assert [dict(row.values) for row in json_file(rows).rows()] == rows
    assert [row.number for row in json_file(json.dumps(rows, indent=2).encode()).rows(after=1)] == [
        *range(2, len(rows) + 1)
    ]


def test_long_elements_and_torn_lists():
    rows = [{"q": "x" * 100_000, "id": k} for k in range(3)]
    assert [dict(row.values) for row in json_file(rows).rows()] == rows
    torn = json.dumps(rows).encode()[:-5]
    assert [row.problem[:13] for row in json_file(torn).rows()] == ["", "", "the list ends"]


def test_the_rows_of_an_object():
    held = json_file({"version": 1, "questions": [{"q": "a"}]})
    assert values(held) == [{"q": "a"}] and "'questions'" in held.notes[0]
    assert values(json_file({"7": {"q": "a"}, "8": {"q": "b"}})) == [{"id": "7", "q": "a"}, {"id": "8", "q": "b"}]
    assert values(json_file(b'{"q": "a"}\n{"q": "b"}\n')) == [{"q": "a"}, {"q": "b"}]
    for wrong in (b"7", b"{}", b"[]", b"{"):
        with pytest.raises(InvalidInput):
            json_file(wrong)
