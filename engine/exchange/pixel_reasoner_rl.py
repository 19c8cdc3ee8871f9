"""The format `pixel-reasoner-rl`: the questions that Pixel Reasoner's RL and its evaluation take, in one parquet file.

    question   text, with its options on lines "(A) ..."
    answer     list of texts: the gold answer, and those that are as good
    image      list of paths: one picture is a list, too; of a clip its sixteen frames
    is_video   whether they are
    qid        "where it is from-its id"

The published V* rows hold `<image>` in the question, others do not; it is taken out where there is one for each picture, or
one for all the frames of a clip (verl-tool's MVBench). Ours are written without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import InvalidInput
from engine.exchange.files import Source, column_rows, file_named, one_file, still_clip
from engine.exchange.format import Format, Question, Read, Row, read_rows
from engine.exchange.placeholders import ESCAPED, escaped, unescaped
from engine.exchange.replaying import question_and_options
from engine.exchange.sheet import Sheet
from engine.json_fields import expected, list_of, optional, required, text, truth
from engine.protocols.calls import question_text
from engine.store import Dossier
from engine.trace import Example, first_views

if TYPE_CHECKING:
    import pyarrow

__all__ = ["FILE_NAME", "PIXEL_REASONER_RL", "read", "without_placeholders"]

FILE_NAME = "pixel_reasoner_rl.parquet"

ATTEMPTS = "attempts, of which a question keeps nothing: one or more each"
EVIDENCE = "evidence, rules, categories and difficulties, of as many questions"
CLIPS = "clips, of which the sixteen frames are kept and not the file"


def _rows(dossier: Dossier, sheet: Sheet) -> Iterator[Row]:
    example = dossier.example
    if example.answer is None:
        raise InvalidInput("its question has no gold answer, which a reward needs")
    clips = sum(medium.kind == "video" for medium in example.media)
    if clips and len(example.media) > 1:
        raise InvalidInput("its question shows a clip beside other media, which this format cannot tell apart")
    question = question_text(example.question, example.options)
    sheet.lose(ATTEMPTS)
    sheet.lose(CLIPS, clips)
    sheet.lose(EVIDENCE, any((example.evidence, example.rule, example.category, example.difficulty)))
    sheet.lose(ESCAPED, escaped(question) != question)
    yield {
        "question": escaped(question),
        "answer": [example.answer, *example.other_answers],
        "image": [sheet.picture(view, example.media) for view in first_views(example.media)],
        "is_video": bool(clips),
        "qid": f"{example.source.partition('/')[0] or 'studio'}-{dossier.id}",
    }


def _schema() -> pyarrow.Schema:
    import pyarrow as pa

    texts = pa.list_(pa.string())
    columns = {"question": pa.string(), "answer": texts, "image": texts, "is_video": pa.bool_(), "qid": pa.string()}
    return pa.schema(list(columns.items()))


def read(path: Path) -> Iterator[Read]:
    """The questions of a file, or of the folder that holds it; paths are relative to the file. Raises InvalidInput."""
    file = one_file(path, FILE_NAME)
    return read_rows(column_rows(file), lambda place, row: _question(place, row, file))


def _question(place: str, row: Mapping[str, Any], file: Path) -> Question:
    names = required(row, "image", list_of(text))
    if not names:
        raise InvalidInput("image: a list of at least one path is expected")
    files: list[Source] = [file_named(file.parent, name) for name in names]
    if optional(row, "is_video", truth, False):
        files = [still_clip(files)]
    said = without_placeholders(required(row, "question", text), (len(names), len(files)))
    question, options = question_and_options(said)
    answers = required(row, "answer", _answers)
    qid = optional(row, "qid", text, None)
    example = Example(
        unescaped(question),
        (),
        answers[0] if answers else None,
        tuple(map(unescaped, options)),
        other_answers=answers[1:],
        source=f"{file.stem}/{qid or place}",
    )
    return Question(place, example, tuple(files), qid)


def _answers(value: Any) -> tuple[str, ...]:
    """One text, or a list of texts that are as good as each other."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (f"{value:g}",)
    if not isinstance(value, list | tuple):
        raise expected("a text or a list of texts", value)
    return tuple(dict.fromkeys(list_of(text)(value)))


def without_placeholders(question: str, counts: tuple[int, ...]) -> str:
    """The question without `<image>` and `<video>`, where there are as many of them as pictures; a word otherwise."""
    found = question.count("<image>") + question.count("<video>")
    if found not in counts:
        return question
    return question.replace("<image>", "").replace("<video>", "").strip()


PIXEL_REASONER_RL = Format(
    name="pixel-reasoner-rl",
    title="Pixel Reasoner, RL",
    description="Questions with gold answers, as the released RL and evaluation of Pixel Reasoner read them.",
    file=FILE_NAME,
    beside=("images/", "frames/"),
    losses=(ATTEMPTS, EVIDENCE, CLIPS, ESCAPED),
    returns="question, options and answers",
    is_of_examples=True,
    rows=_rows,
    read=read,
    schema=_schema,
)
