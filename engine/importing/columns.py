"""Which column of a table says what, how its numbers are meant, and a first guess at both.

The guess goes by the columns' names and by what stands in the first rows. What would be wrong half of the time is not
guessed but asked: whether the number of an option counts from 0 or from 1, and whether a box of numbers above 1 is in
pixels or in thousandths. `Columns.as_json` is what a job keeps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import PurePosixPath
from typing import Any, Literal, get_args

from engine.errors import InvalidInput
from engine.importing.cells import (
    answers_in,
    boxes_in,
    embedded_bytes,
    is_nothing,
    options_in,
    options_of_columns,
    structure_in,
    text_in,
    whole_in,
)
from engine.json_fields import seen
from engine.media import ACCEPTED_EXTENSIONS
from engine.trace import RULES, Rule

__all__ = ["BOX_FORMS", "BOX_UNITS", "ROLES", "BoxForm", "BoxUnit", "Columns", "Guess", "guess"]

BoxUnit = Literal["share", "pixels", "thousandths"]
BOX_UNITS: tuple[BoxUnit, ...] = get_args(BoxUnit)
"""0 to 1 of the picture; pixels of the original; 0 to 1000 of the picture."""
BoxForm = Literal["corners", "size"]
BOX_FORMS: tuple[BoxForm, ...] = get_args(BoxForm)
"""x1 y1 x2 y2; x y width height."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns by their names; None or () where there is none. `question_for_all` is asked where a row has no question of its
    own. `answer_counts_from` is 0 or 1 where answers are numbers of options, None where they are letters or texts. `rule` is
    a column, `rule_for_all` the rule of all."""

    media: tuple[str, ...] = ()
    question: str | None = None
    options: tuple[str, ...] = ()
    answer: str | None = None
    other_answers: str | None = None
    evidence: str | None = None
    frames: str | None = None
    category: str | None = None
    difficulty: str | None = None
    id: str | None = None
    rule: str | None = None
    question_for_all: str = ""
    answer_counts_from: int | None = None
    box_unit: BoxUnit | None = None
    box_form: BoxForm = "corners"
    rule_for_all: Rule | None = None

    def as_json(self) -> dict[str, Any]:
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any], known: Sequence[str]) -> Columns:
        """Raises InvalidInput for a column that the table (`known`) has not, and for what no setting can be."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            value = data.get(field.name)
            if field.name in _SEVERAL:
                value = tuple([value] if isinstance(value, str) else value or ())
            if field.name in ROLES:
                for column in (value if field.name in _SEVERAL else (value,)) if value else ():
                    if column not in known:
                        there = ", ".join(known[:40])
                        raise InvalidInput(f"the table has no column {seen(column)} for {field.name}; it has {there}")
            values[field.name] = value or None if field.name in ROLES and field.name not in _SEVERAL else value
        values["question_for_all"] = str(values["question_for_all"] or "").strip()
        values["box_form"] = values["box_form"] or "corners"
        for name, allowed in _CHOICES.items():
            if values[name] not in (*allowed, None):
                words = ", ".join(str(one) for one in allowed)
                raise InvalidInput(f"{name}: one of {words} is expected, not {seen(values[name])}")
        return cls(**values)


_SEVERAL = ("media", "options")
ROLES = (
    "media",
    "question",
    "options",
    "answer",
    "other_answers",
    "evidence",
    "frames",
    "category",
    "difficulty",
    "id",
    "rule",
)
"""The fields of `Columns` that name columns."""
_CHOICES: Mapping[str, Sequence[Any]] = {
    "answer_counts_from": (0, 1),
    "box_unit": BOX_UNITS,
    "box_form": BOX_FORMS,
    "rule_for_all": RULES,
}


@dataclass(frozen=True, slots=True)
class Guess:
    """`asks` are sentences about what must be said before rows come in; a row that needs it is refused until then."""

    columns: Columns
    asks: tuple[str, ...] = ()


_NAMES: Mapping[str, Sequence[str]] = {
    "media": (
        *(
            "media",
            "image",
            "images",
            "picture",
            "pictures",
            "photo",
            "img",
            "filename",
            "file",
            "imagepath",
            "imagefile",
        ),
        *("imgpath", "path", "video", "videos", "videopath", "clip", "imagename"),
    ),
    "question": ("question", "query", "problem", "prompt", "questiontext", "instruction", "q", "ask", "text"),
    "options": ("options", "choices", "candidates", "answerchoices", "multichoiceoptions", "answeroptions"),
    "answer": (
        *(
            "answer",
            "answers",
            "goldanswer",
            "gold",
            "groundtruth",
            "gt",
            "correctanswer",
            "correct",
            "solution",
            "target",
        ),
        *("label", "answeridx", "answerindex", "correctoption"),
    ),
    "other_answers": ("otheranswers",),
    "evidence": ("evidence", "boxes", "bboxes", "bbox", "box", "bbox2d", "targetbbox"),
    "frames": ("frames", "evidenceframes", "framenumbers"),
    "category": ("category", "questiontype", "type", "task", "subject", "topic", "subfield", "folder"),
    "difficulty": ("difficulty", "topicdifficulty", "level"),
    "id": ("id", "qid", "questionid", "uid", "sampleid", "index", "source"),
    "rule": ("rule",),
}
_NUMBERED_MEDIA = re.compile(r"(?:image|picture|img|photo)(\d+)")
_OPTION_COLUMN = re.compile(r"(?:option|choice|opt)?([a-z]|\d{1,2})")


def guess(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> Guess:
    """What the columns seem to say, from their names and `rows`, the first ones of the table."""
    plain = {column: re.sub(r"[\W_]+", "", column.lower()) for column in columns}

    def named(role: str, fits: Callable[[Any], bool] = lambda value: True) -> str | None:
        for name in _NAMES[role]:
            for column in columns:
                if plain[column] == name and _mostly(rows, column, fits):
                    return column
        return None

    media = _media(columns, plain, rows)
    options = _option_columns(columns, plain)
    if not options and (one := named("options")) is not None:
        options = (one,)
    question = named("question", lambda value: isinstance(value, str))
    guessed = Columns(
        media=media,
        question=question,
        options=options,
        answer=next((c for c in [named("answer")] if c not in (question, *media)), None),
        other_answers=named("other_answers"),
        evidence=named("evidence", _is_evidence),
        frames=named("frames"),
        category=named("category", lambda value: isinstance(value, (str, int))),
        difficulty=named("difficulty", lambda value: isinstance(value, (str, int))),
        id=named("id", lambda value: isinstance(value, (str, int, float))),
        rule=named("rule", lambda value: value in RULES),
    )
    return ask(guessed, rows)


def ask(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> Guess:
    """The columns with what the first rows tell of their numbers, and what they leave open. What was said stays."""
    asks: list[str] = []
    if not columns.media:
        there = ", ".join(rows[0]) if rows else "the table"
        asks.append(f"No column of {there} seems to name a picture or a clip: say which one does.")
    if columns.question is None and not columns.question_for_all:
        asks.append("No column seems to hold the question: say which one does, or write one question for all.")
    if columns.rule is None and columns.rule_for_all is None and _are_numbers(columns, rows):
        columns = replace(columns, rule_for_all="number")
    if columns.answer_counts_from is None and _may_count(columns, rows):
        asks.append(
            f"{columns.answer!r} holds numbers where there are options: say whether they count the options from 0 or from 1."
        )
    if columns.box_unit is None and (largest := _largest_edge(columns, rows)) is not None:
        if largest <= 1:
            columns = replace(columns, box_unit="share")
        elif largest > 1000:
            columns = replace(columns, box_unit="pixels")
        else:
            asks.append(
                f"{columns.evidence!r} holds boxes with numbers up to {largest:g}: say whether they are pixels of the "
                "original or thousandths of the picture."
            )
    return Guess(columns, tuple(asks))


# --- what the first rows look like ----------------------------------------------------------------------------------


def _mostly(rows: Sequence[Mapping[str, Any]], column: str, fits: Callable[[Any], bool]) -> bool:
    there = [row[column] for row in rows if not is_nothing(row.get(column))]
    return not rows or not there or 2 * sum(map(fits, there)) > len(there)


def _media(columns: Sequence[str], plain: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    looks = [column for column in columns if _has_media(rows, column)]
    numbered = [column for column in looks if _NUMBERED_MEDIA.fullmatch(plain[column])]
    if numbered:
        return tuple(sorted(numbered, key=lambda column: int(_NUMBERED_MEDIA.fullmatch(plain[column])[1])))  # type: ignore[index]
    for candidates in (looks, columns):
        for name in _NAMES["media"]:
            if found := [column for column in candidates if plain[column] == name]:
                return (found[0],)
        if candidates is looks and looks:
            return (looks[0],)
    return ()


def _has_media(rows: Sequence[Mapping[str, Any]], column: str) -> bool:
    there = [row[column] for row in rows if not is_nothing(row.get(column))]
    return bool(there) and 2 * sum(map(_is_media, there)) > len(there)


def _is_media(value: Any) -> bool:
    found = structure_in(value)
    if isinstance(found, (list, tuple)):
        return bool(found) and _is_media(found[0])
    if isinstance(found, Mapping):
        return "bytes" in found or "path" in found
    if isinstance(found, str):
        suffix = PurePosixPath(found.partition("?")[0]).suffix.lower()
        return suffix in ACCEPTED_EXTENSIONS or embedded_bytes(found[:100_000]) is not None
    return isinstance(found, bytes)


def _option_columns(columns: Sequence[str], plain: Mapping[str, str]) -> tuple[str, ...]:
    """A, B, C, ... or option_a, ... or choice1, ...: at least two, without a gap."""
    found: dict[int, str] = {}
    for column in columns:
        if (match := _OPTION_COLUMN.fullmatch(plain[column])) and not (
            match[1].isdigit() and match[1] == plain[column]
        ):
            found.setdefault(int(match[1]) if match[1].isdigit() else ord(match[1]) - ord("a"), column)
    first = min(found, default=0)
    run = [found[k] for k in range(first, first + len(found)) if k in found]
    return tuple(run) if len(run) >= 2 and first in (0, 1) and len(run) == len(found) else ()


def _is_evidence(value: Any) -> bool:
    try:
        found = structure_in(value)
        return isinstance(found, Mapping) and bool({"boxes", "frames"} & set(found)) or bool(boxes_in(value))
    except InvalidInput:
        return False


def _answers(columns: Columns, rows: Iterable[Mapping[str, Any]]) -> list[tuple[Any, tuple[str, ...]]]:
    """(first answer, options) of each row that has an answer and can be read."""
    found = []
    for row in rows:
        try:
            answers = answers_in(row.get(columns.answer)) if columns.answer else ()
            options = _options(columns, row)
        except InvalidInput:
            continue
        if answers:
            found.append((answers[0], options))
    return found


def _options(columns: Columns, row: Mapping[str, Any]) -> tuple[str, ...]:
    cells = [row.get(column) for column in columns.options]
    return options_in(cells[0]) if len(cells) == 1 else options_of_columns(cells)


def _are_numbers(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> bool:
    answers = _answers(columns, rows)
    return bool(answers) and all(whole_in(answer) is not None and not options for answer, options in answers)


def _may_count(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(options and counts(answer, options) for answer, options in _answers(columns, rows))


def counts(answer: Any, options: Sequence[str]) -> bool:
    """Whether an answer may be the number of an option: a whole number that is no option's own text."""
    return whole_in(answer) is not None and str(text_in(answer)).strip() not in {option.strip() for option in options}


def _largest_edge(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> float | None:
    edges = []
    for row in rows:
        if columns.evidence is None:
            break
        found = structure_in(row.get(columns.evidence))
        try:
            boxes = boxes_in(found.get("boxes") if isinstance(found, Mapping) and "boxes" in found else found)
        except InvalidInput:
            continue
        edges += [abs(edge) for box in boxes for edge in box]
    return max(edges, default=None)
