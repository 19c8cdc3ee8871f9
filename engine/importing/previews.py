"""The first rows of a source as they would come in, with nothing stored: what the columns are taken for, what was assumed,
what must be said first, and each example with small pictures.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from PIL import Image

from engine.errors import PersonError
from engine.importing.candidates import Fetch, Reading, complete, read_row
from engine.importing.columns import Columns, Guess, ask, guess
from engine.importing.sources import Opened, Source, open_source
from engine.media import LoadedMedia, MediaLimits, Sampling, load_media
from engine.trace import Example

__all__ = ["Preview", "PreviewedPicture", "PreviewedRow", "plan_columns", "preview"]

ROWS_SHOWN = 5
_ROWS_LOOKED_AT = 100
_PICTURES_SHOWN = 4
_SIDE_PX = 256


@dataclass(frozen=True, slots=True)
class PreviewedPicture:
    """A JPEG whose longer side is at most 256 pixels, of a picture or a clip's first frame; the size is the original's."""

    name: str
    kind: str
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class PreviewedRow:
    """`problem` says why the row would not come in, and is empty where it would."""

    number: int
    original_id: str | None
    example: Example | None
    pictures: tuple[PreviewedPicture, ...]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    names: tuple[str, ...]
    """The table's columns."""
    guess: Guess
    rows: tuple[PreviewedRow, ...]
    notes: tuple[str, ...]
    table: str
    tables: tuple[str, ...]


def plan_columns(opened: Opened, said: Mapping[str, Any] | None) -> Guess:
    """What the columns say: `said` where a person did (a field that is missing is guessed), else the guess. Raises
    InvalidInput for a column that is not there."""
    looked_at = [row.values for row in islice(opened.table.rows(), _ROWS_LOOKED_AT) if not row.problem]
    names = tuple(opened.table.columns)
    guessed = guess(names, looked_at).columns.as_json()
    if said is None:
        return guess(names, looked_at)
    # What follows from the columns' values follows from those that the person chose.
    derived = ("answer_counts_from", "box_unit", "rule_for_all")
    base = {name: value for name, value in guessed.items() if name not in derived}
    return ask(Columns.from_json({**base, **said}, names), looked_at)


def preview(
    source: Source,
    said: Mapping[str, Any] | None,
    limits: MediaLimits,
    sampling: Sampling = "time",
    fetch: Fetch | None = None,
) -> Preview:
    """Raises InvalidInput and Unavailable where the source itself cannot be read."""
    opened = open_source(source)
    guessed = plan_columns(opened, said)
    reading = Reading(
        _told(guessed.columns, guessed.asks), opened.place, opened.folder, limits.max_bytes, fetch or opened.fetch
    )
    rows = []
    for row in islice(opened.table.rows(), ROWS_SHOWN):
        loaded: list[tuple[str, LoadedMedia]] = []
        try:
            candidate = read_row(row, reading)
            for file in candidate.files:
                loaded.append((file.name, load_media(file.read(), limits, sampling)))
            example = complete(candidate, [one.media for _, one in loaded], "preview")
            shown, problem = replace(example, source=""), ""
            original_id = candidate.original_id
        except PersonError as error:
            shown, problem, original_id = None, str(error), None
        rows.append(PreviewedRow(row.number, original_id, shown, _small(loaded), problem))
    return Preview(
        tuple(opened.table.columns), guessed, tuple(rows), tuple(opened.table.notes), opened.table_name, opened.tables
    )


def _told(columns: Columns, asks: Sequence[str]) -> Columns:
    """The columns without what must be said first, so that the rest of the rows can be seen meanwhile."""
    if asks and columns.answer_counts_from is None:
        columns = replace(columns, answer=None)
    return replace(columns, evidence=None) if asks and columns.box_unit is None else columns


def _small(loaded: Sequence[tuple[str, LoadedMedia]]) -> tuple[PreviewedPicture, ...]:
    return tuple(
        PreviewedPicture(name, one.media.kind, one.media.width, one.media.height, _jpeg(one.frames[0]))
        for name, one in loaded[:_PICTURES_SHOWN]
    )


def _jpeg(picture: Image.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return buffer.getvalue()
