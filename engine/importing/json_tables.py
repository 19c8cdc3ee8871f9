"""JSONL and JSON: one object a row. A line that is no JSON costs no other line.

A JSON file is a list of objects, or an object that holds one such list, or one object for each row by its id, which then
stands in the column "id". A list is read row by row; another JSON file is held in memory and may have at most 200 MB.
A line of JSONL ends at "\\n" alone: U+2028 is a character of a text.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from engine.errors import InvalidInput
from engine.importing.delimited import encoding_of
from engine.importing.tables import ListedTable, Row, Table, columns_of
from engine.json_fields import seen
from engine.json_lists import Broken, items

__all__ = ["JsonLines", "JsonList", "open_json", "open_json_lines"]

_MAX_LINE_CHARACTERS = 256_000_000
_MAX_HELD_BYTES = 200_000_000
_CHUNK_CHARACTERS = 1 << 16


@dataclass(frozen=True, slots=True)
class JsonLines:
    """Rows are numbered by their lines, so a blank line leaves a number out."""

    open: Callable[[], BinaryIO]
    encoding: str
    columns: Sequence[str] = ()
    notes: Sequence[str] = ()

    def rows(self, after: int = 0) -> Iterator[Row]:
        with self.open() as file:
            text = io.TextIOWrapper(file, self.encoding, errors="replace", newline="\n")
            number = 0
            while line := text.readline(_MAX_LINE_CHARACTERS):
                number += 1
                if number > after and line.strip():
                    yield _row(number, line)

    def count(self) -> int:
        with self.open() as file:
            text = io.TextIOWrapper(file, self.encoding, errors="replace", newline="\n")
            number = 0
            while text.readline(_MAX_LINE_CHARACTERS):
                number += 1
            return number


@dataclass(frozen=True, slots=True)
class JsonList:
    """A file that is one list, decoded element by element."""

    open: Callable[[], BinaryIO]
    encoding: str
    columns: Sequence[str] = ()
    notes: Sequence[str] = ()

    def rows(self, after: int = 0) -> Iterator[Row]:
        with self.open() as file:
            text = io.TextIOWrapper(file, self.encoding, errors="replace")
            for number, value in enumerate(items(text), 1):
                if isinstance(value, Broken):
                    yield Row(number, {}, value.problem)
                elif number > after:
                    yield _object(number, value)

    def count(self) -> int:
        return sum(1 for _ in self.rows())


def open_json_lines(open_file: Callable[[], BinaryIO], name: str) -> JsonLines:
    """Raises InvalidInput where no line holds an object."""
    with open_file() as file:
        encoding, note = encoding_of(file)
    notes = (note,) if note else ()
    columns = columns_of(JsonLines(open_file, encoding).rows())
    if not columns:
        raise InvalidInput(f"{name}: one JSON object a line is expected, and there is none")
    return JsonLines(open_file, encoding, columns, notes)


def open_json(open_file: Callable[[], BinaryIO], size: int, name: str) -> Table:
    """Raises InvalidInput where there is no list of objects."""
    with open_file() as file:
        encoding, note = encoding_of(file)
    notes = (note,) if note else ()
    with open_file() as file:
        text = io.TextIOWrapper(file, encoding, errors="replace")
        first = text.read(_CHUNK_CHARACTERS).lstrip()[:1]
    if first == "[":
        listed = JsonList(open_file, encoding)
        columns = columns_of(listed.rows())
        if not columns:
            raise InvalidInput(f"{name}: a list of JSON objects is expected, and there is no object in it")
        return JsonList(open_file, encoding, columns, notes)
    if size > _MAX_HELD_BYTES:
        raise InvalidInput(
            f"{name} has {size / 1e6:,.0f} MB and is no list; a JSON object of at most {_MAX_HELD_BYTES // 1_000_000} MB "
            "is read, larger data as JSONL"
        )
    with open_file() as file:
        try:
            data = json.loads(file.read().decode(encoding, "replace"))
        except (ValueError, RecursionError) as error:
            # One object a line under the name .json: the second line is what JSON does not expect.
            if isinstance(error, json.JSONDecodeError) and error.msg == "Extra data":
                return open_json_lines(open_file, name)
            raise InvalidInput(f"{name} is not JSON: {error}") from None
    return _of_object(data, name, notes)


def _of_object(data: Any, name: str, notes: Sequence[str]) -> Table:
    if isinstance(data, Mapping):
        lists = {key: value for key, value in data.items() if isinstance(value, list) and value}
        found = {key: value for key, value in lists.items() if all(isinstance(one, Mapping) for one in value)}
        if len(found) == 1:
            [(key, rows)] = found.items()
            return _listed(rows, (*notes, f"The rows are what stands under {key!r}."))
        if data and all(isinstance(one, Mapping) for one in data.values()):
            return _listed([{"id": key, **one} for key, one in data.items()], (*notes, "Each object's key is its id."))
    raise InvalidInput(f"{name}: a list of JSON objects is expected, or an object that holds one, not {seen(data)}")


def _listed(rows: Sequence[Mapping[str, Any]], notes: Sequence[str]) -> ListedTable:
    return ListedTable(tuple(dict.fromkeys(name for row in rows for name in row)), rows, notes)


def _row(number: int, line: str) -> Row:
    try:
        return _object(number, json.loads(line))
    except (ValueError, RecursionError) as error:
        detail = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        return Row(number, {}, f"this is not JSON ({detail}); one JSON object a line is expected")


def _object(number: int, value: Any) -> Row:
    if not isinstance(value, Mapping):
        return Row(number, {}, f"a JSON object is expected, not {seen(value)}")
    return Row(number, value)
