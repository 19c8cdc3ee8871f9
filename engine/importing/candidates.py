"""One row -> a candidate, an example whose media nobody has looked into; with its media taken, the example itself.

    candidate = read_row(row, reading)                pure but for looking up files
    example = complete(candidate, media, data_set)    boxes in pixels need the sizes of what came

Invariants: an answer with options is a letter or an option's text, whatever the row wrote; boxes are shares of the picture;
what a row says wrongly raises InvalidInput with the column's name in front. A placeholder `<image>` that only says where a
picture stood is taken out of the question, where there is one for each picture.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from engine.errors import InvalidBox, InvalidInput
from engine.evaluation.examples import require_usable
from engine.importing.cells import (
    answers_in,
    boxes_in,
    embedded_bytes,
    frames_in,
    is_nothing,
    options_in,
    options_of_columns,
    structure_in,
    text_in,
    whole_in,
)
from engine.importing.columns import BoxForm, BoxUnit, Columns, counts
from engine.importing.places import Place
from engine.importing.tables import Row
from engine.json_fields import seen
from engine.trace import RULES, Box, Evidence, Example, Media, Rule

__all__ = ["Candidate", "Fetch", "File", "Reading", "complete", "original_id_of", "read_row"]

Value = TypeVar("Value")
Edges = tuple[float, float, float, float]
Fetch = Callable[[str], bytes]
"""The bytes behind an address. Raises PersonError."""
_PLACEHOLDER = re.compile(r"<(?:image|video)(?:[ _]?\d+)?>")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_SLACK_PX = 1.0
"""By how much a box may stand over its picture, as a box does that was rounded or counts its last pixel."""


@dataclass(frozen=True, slots=True)
class File:
    """A picture or clip that a row names: what it is called there, and `read()`, its path or its bytes."""

    name: str
    read: Callable[[], Path | bytes]


@dataclass(frozen=True, slots=True)
class Candidate:
    """`example` has no media and no evidence yet: `files` are its media, `boxes` and `frames` its evidence, as written."""

    number: int
    original_id: str | None
    example: Example
    files: tuple[File, ...]
    boxes: tuple[Edges, ...]
    frames: tuple[int, ...]
    box_unit: BoxUnit
    box_form: BoxForm


@dataclass(frozen=True, slots=True)
class Reading:
    """How rows become candidates: `folder` is that of the table in `place`; `fetch` reads addresses, None where that is not
    allowed."""

    columns: Columns
    place: Place
    folder: str
    max_file_bytes: int
    fetch: Fetch | None = None


def read_row(row: Row, reading: Reading) -> Candidate:
    """Raises InvalidInput."""
    if row.problem:
        raise InvalidInput(row.problem)
    columns, values = reading.columns, row.values
    files: list[File] = []
    for column in columns.media:
        files += _within(column, partial(_files, column=column, reading=reading), values.get(column))
    if not files:
        named = " and ".join(map(repr, columns.media)) or "no column"
        raise InvalidInput(f"there is no picture and no clip ({named} should name one)")
    rule = _rule(columns, values)
    options = (
        _within(columns.options[0], _options, [values.get(one) for one in columns.options]) if columns.options else ()
    )

    def answers_of(value: Any) -> list[str]:
        return [_answer(one, options, columns.answer_counts_from, rule) for one in answers_in(value)]

    answers = _of_column(columns.answer, values, answers_of) or []
    others = answers[1:] + (_of_column(columns.other_answers, values, answers_of) or [])
    boxes, frames = _evidence(columns, values)
    example = Example(
        question=_question(columns, values, len(files)),
        media=(),
        answer=answers[0] if answers else None,
        options=options,
        other_answers=tuple(dict.fromkeys(others)),
        rule=rule,
        category=_text(columns.category, values),
        difficulty=_text(columns.difficulty, values),
    )
    require_usable(example)
    unit = columns.box_unit
    if unit is None and any(edge > 1 for box in boxes for edge in box):
        raise InvalidInput(f"{columns.evidence}: numbers above 1 may be pixels or thousandths; say which")
    return Candidate(
        number=row.number,
        original_id=_text(columns.id, values),
        example=example,
        files=tuple(files),
        boxes=boxes,
        frames=frames,
        box_unit=unit or "share",
        box_form=columns.box_form,
    )


def original_id_of(row: Row, columns: Columns) -> str | None:
    """The row's own id, None where it has none that can be read."""
    try:
        return _text(columns.id, row.values)
    except InvalidInput:
        return None


def complete(candidate: Candidate, media: Sequence[Media], data_set: str) -> Example:
    """The example with its media, evidence and source. Raises InvalidInput where the evidence is none of these media."""
    first = media[0]
    if candidate.boxes and first.kind == "video":
        raise InvalidInput("the evidence has boxes, but the media is a clip, whose evidence are frames")
    if candidate.frames and first.kind == "image":
        raise InvalidInput("the evidence has frames, but the media is a picture, whose evidence are boxes")
    has_evidence = bool(candidate.boxes or candidate.frames)
    boxes = tuple(_box(edges, candidate, first) for edges in candidate.boxes)
    example = replace(
        candidate.example,
        media=tuple(media),
        evidence=Evidence(boxes, candidate.frames) if has_evidence else None,
        source=f"{data_set}/{candidate.original_id or candidate.number}",
    )
    require_usable(example)
    return example


# --- fields ---------------------------------------------------------------------------------------------------------


def _within(column: str, read: Callable[[Any], Value], value: Any) -> Value:
    """What `read` makes of a cell; its complaint with the column's name in front."""
    try:
        return read(value)
    except InvalidInput as error:
        raise InvalidInput(f"{column}: {error}") from None


def _of_column(column: str | None, values: Mapping[str, Any], read: Callable[[Any], Value]) -> Value | None:
    return None if column is None else _within(column, read, values.get(column))


def _text(column: str | None, values: Mapping[str, Any]) -> str | None:
    return _of_column(column, values, text_in)


def _question(columns: Columns, values: Mapping[str, Any], count: int) -> str:
    question = (_text(columns.question, values) or columns.question_for_all).strip()
    if not question:
        raise InvalidInput(
            f"{columns.question}: there is no question"
            if columns.question
            else "no column is the question; choose one, or give one question for all"
        )
    if len(_PLACEHOLDER.findall(question)) == count:
        question = re.sub(r"[ \t]{2,}", " ", _PLACEHOLDER.sub("", question)).strip() or question
    return question


def _rule(columns: Columns, values: Mapping[str, Any]) -> Rule | None:
    said = _text(columns.rule, values)
    if said is None:
        return columns.rule_for_all
    if said not in RULES:
        raise InvalidInput(f"{columns.rule}: one of {', '.join(RULES)} is expected, not {seen(said)}")
    return said  # type: ignore[return-value]


def _options(cells: Sequence[Any]) -> tuple[str, ...]:
    return options_in(cells[0]) if len(cells) == 1 else options_of_columns(cells)


def _answer(value: Any, options: Sequence[str], counts_from: int | None, rule: Rule | None) -> str:
    number = whole_in(value)
    if options and number is not None and (counts_from is not None or counts(value, options)):
        if counts_from is None:
            raise InvalidInput(f"{number} may count the options from 0 or from 1; say which")
        if not counts_from <= number < counts_from + len(options):
            raise InvalidInput(f"there is no option {number}, counted from {counts_from}: there are {len(options)}")
        return chr(ord("A") + number - counts_from)
    if number is not None and rule in ("number", "only-number"):
        return str(number)
    return (text_in(value) or "").strip()


def _evidence(columns: Columns, values: Mapping[str, Any]) -> tuple[tuple[Edges, ...], tuple[int, ...]]:
    """Boxes and frames of one column that may hold either ({"boxes": ...}), and of one that holds frames."""
    boxes: tuple[Edges, ...] = ()
    frames: tuple[int, ...] = ()
    found = structure_in(values.get(columns.evidence)) if columns.evidence else None
    if isinstance(found, Mapping) and {"boxes", "frames"} & set(found):
        boxes = _within(f"{columns.evidence}.boxes", boxes_in, found.get("boxes"))
        frames = _within(f"{columns.evidence}.frames", frames_in, found.get("frames"))
    elif columns.evidence:
        boxes = _within(columns.evidence, boxes_in, found)
    return boxes, _of_column(columns.frames, values, frames_in) or frames


def _box(edges: Edges, candidate: Candidate, medium: Media) -> Box:
    x1, y1, x2, y2 = edges
    if candidate.box_form == "size":
        x2, y2 = x1 + x2, y1 + y2
    width, height = {
        "share": (1.0, 1.0),
        "pixels": (float(medium.width), float(medium.height)),
        "thousandths": (1000.0, 1000.0),
    }[candidate.box_unit]

    def within(share: float, side_px: int) -> float:
        slack = _SLACK_PX / side_px
        return min(max(share, 0.0), 1.0) if -slack <= share <= 1 + slack else share

    across, down = partial(within, side_px=medium.width), partial(within, side_px=medium.height)
    try:
        return Box(across(x1 / width), down(y1 / height), across(x2 / width), down(y2 / height))
    except InvalidBox as error:
        raise InvalidInput(
            f"the box {list(edges)}, read as {candidate.box_unit} of a picture of {medium.width}x{medium.height}: {error}"
        ) from None


# --- files ----------------------------------------------------------------------------------------------------------


def _files(value: Any, column: str, reading: Reading) -> list[File]:
    """The pictures and clips of one cell: one, or a list of them."""
    if is_nothing(value):
        return []
    found = structure_in(value)
    if isinstance(found, (list, tuple)):
        return [file for one in found for file in _files(one, column, reading)]
    if isinstance(found, Mapping):
        content, path = found.get("bytes"), found.get("path") or found.get("image") or found.get("url")
        if (held := embedded_bytes(content or None)) is not None:
            return [File(str(path or column), partial(bytes, held))]
        found = path
    if (held := embedded_bytes(found)) is not None:
        return [File(column, partial(bytes, held))]
    if not isinstance(found, str) or not found.strip():
        raise InvalidInput(f"the path of a picture or clip, or its bytes, is expected, not {seen(value)}")
    return [_named(found.strip(), reading)]


def _named(name: str, reading: Reading) -> File:
    if _ADDRESS.match(name):
        if reading.fetch is None:
            raise InvalidInput(f"{name[:120]} is an address; nothing is fetched from addresses unless that is allowed")
        return File(name, partial(reading.fetch, name))
    found = reading.place.find(name, reading.folder)
    if found is None:
        raise InvalidInput(f"there is no file {name[:200]!r} beside the table or below it")
    return File(name, partial(reading.place.file, found, reading.max_file_bytes))
