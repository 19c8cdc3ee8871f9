"""What a format is: a name, what it makes and carries, and how it is written and read.

The idea: a format turns one dossier into rows, each a JSON object, and says on a `Sheet` which pictures they name and what
they could not hold. Containers, whole files, going on and pictures on disk are written once for all formats
(`engine.exchange.writing`, `engine.exchange.sheet`); which formats there are is a table (`engine.exchange.formats`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import IntegrityError, PersonError
from engine.exchange.files import Source, Unreadable
from engine.exchange.sheet import Sheet
from engine.media import Sampling
from engine.store import Dossier
from engine.trace import Example

if TYPE_CHECKING:
    import pyarrow

__all__ = ["Brought", "Format", "Question", "Read", "Refused", "Row", "read_rows"]

Row = Mapping[str, Any]
"""One JSON object."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A trace that a file holds. `place` names it in messages ("line 3"), `files` are where its media lie, in the order of
    `dossier.trace.media`; `sampling` says which frames of clips its views mean, None where the folder that holds them says
    that itself. `notes` tell what was read otherwise than it stood there: each is a plural, to be counted."""

    place: str
    dossier: Dossier
    files: tuple[Source, ...]
    sampling: Sampling | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """An example without an attempt at it: `example` has no media yet, `files` are where they lie. `original_id` is its id in
    the file, None where it has none."""

    place: str
    example: Example
    files: tuple[Source, ...]
    original_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that cannot be taken: where it stands, and why, in a sentence."""

    place: str
    reason: str


Read = Brought | Question | Refused
"""What a row turns out to be."""


@dataclass(frozen=True, slots=True)
class Format:
    """`name` is what commands call it, `title` what people do; `description` is one sentence.

    `file` is the file of rows that it makes: its ending says whether they stand a line each (.jsonl), in one list (.json) or
    in columns (.parquet); `beside` are the folders and files that come with it. `losses` are what it cannot hold: each is a
    plural with a reason, as it is counted in a report. `returns` is what comes back of a trace that was written and is
    read. `is_of_examples` says that a row is a question, written once however many attempts there are. `rows` and `read`
    are None where the format only comes in or only goes out.

    Columns have the types of `schema`, where the rows alone do not tell them; `texts` are files that are always the same.
    """

    name: str
    title: str
    description: str
    file: str
    beside: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    returns: str = ""
    is_of_examples: bool = False
    needs_versions: bool = False
    rows: Callable[[Dossier, Sheet], Iterable[Row]] | None = None
    read: Callable[[Path], Iterator[Read]] | None = None
    schema: Callable[[], pyarrow.Schema] | None = None
    embedded: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.rows is None and self.read is None:
            raise ValueError(f"the format {self.name!r} is neither written nor read")

    @property
    def is_written(self) -> bool:
        return self.rows is not None

    @property
    def is_read(self) -> bool:
        return self.read is not None


def read_rows(
    rows: Iterable[tuple[str, dict[str, Any] | Unreadable]], brought: Callable[[str, dict[str, Any]], Read]
) -> Iterator[Read]:
    """What `brought(place, row)` makes of each row; one that cannot be understood is refused, and the next ones come."""
    for place, row in rows:
        if isinstance(row, Unreadable):
            yield Refused(place, row.reason)
            continue
        try:
            yield brought(place, row)
        except (PersonError, IntegrityError) as error:
            yield Refused(place, str(error))
