"""A table: named columns, and rows of plain values that come one by one.

Invariants: rows are numbered from 1, in the file's order, and `rows(after=n)` begins with the row n + 1, so that whoever was
stopped can go on; a row that cannot be read is a row with a problem, and the next ones come all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

__all__ = ["ListedTable", "Row", "Table", "columns_of"]

_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class Row:
    """`values` by column; `problem` says why nothing could be read, or is empty."""

    number: int
    values: Mapping[str, Any]
    problem: str = ""


class Table(Protocol):
    @property
    def columns(self) -> Sequence[str]: ...

    @property
    def notes(self) -> Sequence[str]:
        """What was assumed of the file, in sentences."""

    def rows(self, after: int = 0) -> Iterator[Row]: ...

    def count(self) -> int | None:
        """The number of the last row, for which the table may be read once; None where nobody knows."""


def columns_of(rows: Iterator[Row]) -> tuple[str, ...]:
    """The columns of a table that does not name them: those of its first rows, in the order of their first appearance."""
    return tuple(dict.fromkeys(name for row in islice(rows, _LOOKED_AT) for name in row.values))


@dataclass(frozen=True, slots=True)
class ListedTable:
    """A table that is in memory already."""

    columns: Sequence[str]
    values: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = field(default=())

    def rows(self, after: int = 0) -> Iterator[Row]:
        for number in range(after + 1, len(self.values) + 1):
            yield Row(number, self.values[number - 1])

    def count(self) -> int:
        return len(self.values)
