"""CSV and TSV: the encoding and the separator are found out and said; a row that is broken costs no other row.

What is assumed: UTF-8 where the whole file is that, UTF-16 where a mark or every second byte says so, else Windows-1252
(Excel's). The separator is what divides the header and the first rows most and alike, "," before ";", tab and "|"; Excel's
"sep=;" in the first line is believed. Rows end at line ends alone (U+2028 is a character), and a cell in quotation marks may
hold line ends.

Invariant: no more is held than a row, of which a cell has at most 128 KiB (csv's own limit).
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from engine.errors import InvalidInput
from engine.importing.tables import Row

__all__ = ["DelimitedTable", "encoding_of", "open_delimited"]

_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_HEAD_CHARACTERS = 1 << 16
_CHUNK_BYTES = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32 before UTF-16, whose mark it begins with."""


@dataclass(frozen=True, slots=True)
class DelimitedTable:
    open: Callable[[], BinaryIO]
    encoding: str
    separator: str
    has_separator_line: bool
    columns: Sequence[str]
    notes: Sequence[str]

    def rows(self, after: int = 0) -> Iterator[Row]:
        with closing(self._below_header()) as rows:
            for number, row in enumerate(rows, 1):
                if number > after:
                    yield self._row(number, row)

    def count(self) -> int:
        return sum(1 for _ in self._below_header())

    def _below_header(self) -> Generator[list[str] | str, None, None]:
        with self.open() as file:
            cells = _cells(file, self.encoding, self.separator, self.has_separator_line)
            next(cells)
            yield from (row for row in cells if row != [])

    def _row(self, number: int, cells: list[str] | str) -> Row:
        if isinstance(cells, str):
            return Row(number, {}, cells)
        if len(cells) > len(self.columns) and any(cells[len(self.columns) :]):
            problem = (
                f"the row has {len(cells)} cells and the header {len(self.columns)}; is a {self.separator!r} in a text "
                "that stands in no quotation marks?"
            )
            return Row(number, {}, problem)
        return Row(number, dict(zip(self.columns, cells, strict=False)))


def open_delimited(open_file: Callable[[], BinaryIO], name: str) -> DelimitedTable:
    """The table in a file. Raises InvalidInput where it holds nothing."""
    with open_file() as file:
        encoding, note = encoding_of(file)
    notes = [note] if note else []
    with open_file() as file:
        head = _text(file, encoding).read(_HEAD_CHARACTERS)
    first_line = head.partition("\n")[0].strip()
    if first_line.lower().startswith("sep=") and len(first_line) == 5:
        separator, has_separator_line = first_line[4], True
    else:
        separator, has_separator_line = (
            _separator(head, "\t" if name.lower().endswith((".tsv", ".tab")) else None),
            False,
        )
    if separator != ("\t" if name.lower().endswith((".tsv", ".tab")) else ","):
        notes.append(f"The cells are divided by {_SEPARATORS.get(separator, repr(separator))}.")
    with open_file() as file:
        header = next(_cells(file, encoding, separator, has_separator_line), [])
    if not header or isinstance(header, str):
        raise InvalidInput(f"{name} has no header: {header or 'it is empty'}; its first line names the columns")
    return DelimitedTable(open_file, encoding, separator, has_separator_line, _names(header), tuple(notes))


def encoding_of(file: BinaryIO) -> tuple[str, str]:
    """The encoding of a text file, and a note where it is not plainly UTF-8. Reads it to its end."""
    head = file.read(_CHUNK_BYTES)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, "" if encoding == "utf-8-sig" else f"The text is read as {encoding.upper()}."
    if b"\0" in head[:4096]:
        encoding = "utf-16-le" if head[1:4096:2].count(0) > head[0:4096:2].count(0) else "utf-16-be"
        return encoding, f"The text is read as {encoding.upper()}: every second byte is zero."
    decoder, read = codecs.getincrementaldecoder("utf-8")(), 0
    try:
        while head:
            decoder.decode(head)
            read += len(head)
            head = file.read(_CHUNK_BYTES)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        seen = error.object[error.start]
        return "cp1252", (
            f"The text is read as Windows-1252, since it is no UTF-8 (byte 0x{seen:02x} near byte {read + error.start:,}); "
            "save it as UTF-8 if letters look wrong."
        )
    return "utf-8", ""


def _text(file: BinaryIO, encoding: str) -> io.TextIOWrapper:
    # newline="": line ends reach the csv reader as they are, and only \n, \r and \r\n are such.
    return io.TextIOWrapper(file, encoding, errors="replace", newline="")


def _cells(file: BinaryIO, encoding: str, separator: str, has_separator_line: bool) -> Iterator[list[str] | str]:
    """The cells of each row; for one that cannot be read, the sentence why."""
    text = _text(file, encoding)
    if has_separator_line:
        text.readline()
    reader = csv.reader(text, delimiter=separator, strict=True)
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _complaint(str(error), reader.line_num)


def _complaint(said: str, line: int) -> str:
    if "unexpected end of data" in said:
        return "a quotation mark that opens in this row is never closed, and all that follows would be one cell"
    if "expected after" in said:
        return f"line {line}: a quotation mark within a quoted cell must be written twice"
    if "field larger" in said:
        return "a cell has more than 128 KiB; is a quotation mark in this row never closed?"
    return f"line {line}: {said}"


def _separator(head: str, preferred: str | None) -> str:
    def divided(separator: str) -> tuple[int, int]:
        """(how many cells the header has, where the first rows have as many; its place among the separators)."""
        try:
            rows = [row for row in islice(csv.reader(io.StringIO(head, newline=""), delimiter=separator), 21) if row]
        except csv.Error:
            return 0, 0
        # What was cut off in the middle says nothing.
        rows = rows[:-1] if len(rows) > 2 else rows
        alike = sum(len(row) == len(rows[0]) for row in rows) if rows else 0
        return (len(rows[0]) if rows and alike * 2 > len(rows) else 0), -list(_SEPARATORS).index(separator)

    if preferred is not None and divided(preferred)[0] > 1:
        return preferred
    best = max(_SEPARATORS, key=divided)
    return best if divided(best)[0] > 1 else preferred or ","


def _names(header: Sequence[str]) -> tuple[str, ...]:
    """The columns' names: those without one are numbered, and so is the second of the same name."""
    names: list[str] = []
    for position, cell in enumerate(header, 1):
        name = cell.strip() or f"column {position}"
        names.append(name if name not in names else f"{name} ({position})")
    return tuple(names)
