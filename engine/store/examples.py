"""Examples that people brought in, by data set: the questions that a policy can be let attempt.

The idea: an example is a value (`engine.trace.Example`); kept with it are the name of its data set, the id that it had
where it came from, and what its files were called there. Its content is hashed, so that the same example of one data set is
kept once, however often its file is read.

Invariants:
- no example is kept without the record of its media: both are written in one transaction;
- numbers only grow, in the order of recording, so pages by number miss nothing and repeat nothing;
- an example never changes; a corrected one is another.

Not covered: reading people's files (`engine.importing`), media files (`engine.media`), attempts (`engine.store.traces`).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidInput, NotFound
from engine.store.connection import Connections
from engine.store.identity import canonical_json, new_id, now, storable
from engine.store.media import MediaRecords
from engine.store.packing import next_number
from engine.trace import Example
from engine.trace_json import example_from_json, example_to_json

__all__ = ["DataSet", "Examples", "ImportedExample", "usable_name"]

_MAX_NAME_CHARACTERS = 100
_PAGE = 500


@dataclass(frozen=True, slots=True)
class ImportedExample:
    """An example of the data set `data_set`; `number` counts all examples in the order of recording. `original_id` is its
    id where it came from, None where it had none; `file_names` are its media's names there, in their order."""

    id: str
    number: int
    data_set: str
    example: Example
    original_id: str | None
    file_names: tuple[str, ...]
    created_at: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """A name, how many examples stand under it, how many of these have an answer, and when the last one came."""

    name: str
    count: int
    with_answer: int
    updated_at: str


class Examples:
    def __init__(self, connections: Connections, media: MediaRecords) -> None:
        self._connections = connections
        self._media = media

    def record(
        self, data_set: str, example: Example, *, original_id: str | None = None, file_names: Sequence[str] = ()
    ) -> ImportedExample | None:
        """Records an example and its media; None, and nothing is recorded, where the data set has one that says the same of
        the same media. Raises InvalidInput for a name that no data set can have, IntegrityError where a medium contradicts
        its record."""
        name = usable_name(data_set)
        told = example_to_json(example)
        said = canonical_json({field: value for field, value in told.items() if field != "source"})
        with self._connections.write() as db:
            row: dict[str, Any] = {
                "id": new_id(),
                "data_set": name,
                "content_hash": hashlib.sha256(said.encode("ascii")).hexdigest(),
                "original_id": None if original_id is None else storable(original_id),
                "file_names": canonical_json([storable(file_name) for file_name in file_names]),
                "example": canonical_json(told),
                "has_answer": example.answer is not None,
                "created_at": now(),
            }
            known = "SELECT 1 FROM examples WHERE data_set = :data_set AND content_hash = :content_hash"
            if self._connections.row(known, row) is not None:
                return None
            for position, medium in enumerate(example.media):
                self._media.record(medium, file_names[position] if position < len(file_names) else "")
            columns, marks = ", ".join(row), ", ".join(":" + column for column in row)
            cursor = db.conn.execute(
                f"INSERT INTO examples (number, {columns}) VALUES ({next_number('examples')}, {marks})", row
            )
            db.conn.executemany(
                "INSERT OR IGNORE INTO example_media VALUES (?, ?)",
                [(cursor.lastrowid, medium.sha256) for medium in example.media],
            )
            assert cursor.lastrowid is not None
            kept = (row["original_id"], tuple(json.loads(row["file_names"])))
            return ImportedExample(row["id"], cursor.lastrowid, name, example, *kept, row["created_at"])

    def get(self, example_id: str) -> ImportedExample:
        """Raises NotFound."""
        row = self._connections.row("SELECT * FROM examples WHERE id = ?", (example_id,))
        if row is None:
            raise NotFound(f"there is no example {example_id!r} in the store")
        return _imported(row)

    def list(self, data_set: str, *, after: int = 0, limit: int = 100) -> list[ImportedExample]:
        """The examples of a data set whose number is greater than `after`, oldest first."""
        sql = "SELECT * FROM examples WHERE data_set = ? AND number > ? ORDER BY number LIMIT ?"
        return [_imported(row) for row in self._connections.rows(sql, (data_set, after, limit))]

    def all_of(self, data_set: str) -> Iterator[ImportedExample]:
        """Every example of a data set, oldest first, without holding them all."""
        after = 0
        while page := self.list(data_set, after=after, limit=_PAGE):
            yield from page
            after = page[-1].number

    def data_sets(self) -> Sequence[DataSet]:
        """Every data set, by name."""
        sql = """SELECT data_set, count(*), total(has_answer), max(created_at) FROM examples
            GROUP BY data_set ORDER BY data_set"""
        return [DataSet(row[0], row[1], int(row[2]), row[3]) for row in self._connections.rows(sql)]

    def data_set(self, name: str) -> DataSet:
        """Raises NotFound."""
        found = next((one for one in self.data_sets() if one.name == name), None)
        if found is None:
            raise NotFound(f"there is no data set {name!r}; import one, or look at the list of them")
        return found


def usable_name(name: str) -> str:
    """The name of a data set as it is kept. Raises InvalidInput: a "/" would end it where traces are found by their source."""
    name = storable(name.strip())
    if not 0 < len(name) <= _MAX_NAME_CHARACTERS or "/" in name or not name.isprintable():
        raise InvalidInput(
            f"a data set's name has 1 to {_MAX_NAME_CHARACTERS} characters on one line and no '/', not {name[:120]!r}"
        )
    return name


def _imported(row: sqlite3.Row) -> ImportedExample:
    return ImportedExample(
        id=row["id"],
        number=row["number"],
        data_set=row["data_set"],
        example=example_from_json(json.loads(row["example"])),
        original_id=row["original_id"],
        file_names=tuple(json.loads(row["file_names"])),
        created_at=row["created_at"],
    )
