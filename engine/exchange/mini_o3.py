"""The format `mini-o3`, in only: the cold-start conversations of Mini-o3, and its questions for RL.

Cold start (Mini-o3/Mini-o3-Coldstart-Dataset), parquet, or the JSON list that scripts/preprocess_coldstart.py makes of it:

    conversations  a PYTHON LITERAL: [{"from": "system" | "human" | "gpt", "value": "<image>\\nQ"}, ...]; a list in JSON
    images         [{"bytes", "path"}], in the order of the `<image>` in the values; paths in JSON
    image_names, data_source, sample_index, rollout_index

RL, JSON: {"problem", "solution", "images", "doc_id"}.

Their own script evaluates the literal; here `ast.literal_eval` reads it, which knows values and calls nothing. Words and
numbers are those of the protocol `mini-o3`: boxes from 0 to 1 of the picture that `source` names.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.exchange.deepeyes import pictured
from engine.exchange.files import Source, column_rows, json_rows, one_file
from engine.exchange.format import Brought, Format, Question, Read, read_rows
from engine.exchange.pixel_reasoner_rl import without_placeholders
from engine.exchange.replaying import SaidTurn, question_and_options, replayed
from engine.json_fields import list_of, one_of, optional, require_object, required, seen, text
from engine.protocols import mini_o3, protocol_named
from engine.trace import Example

__all__ = ["MINI_O3", "literal", "read"]

_MAX_CHARACTERS = 4_000_000
_WHO = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}


def read(path: Path) -> Iterator[Read]:
    """The traces, or the questions, of a file. Raises InvalidInput."""
    file = one_file(path, "train.parquet")
    return read_rows(
        column_rows(file) if file.suffix == ".parquet" else json_rows(file),
        lambda place, row: (_question if "problem" in row else _brought)(place, row, file),
    )


def literal(value: Any) -> Any:
    """The value that a text of Python, or of JSON, writes down; nothing is called. Raises InvalidInput."""
    if not isinstance(value, str):
        return value
    if len(value) > _MAX_CHARACTERS:
        raise InvalidInput(
            f"conversations: {len(value):,} characters are too many; at most {_MAX_CHARACTERS:,} are read"
        )
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise InvalidInput(f"conversations: a list written in Python is expected, not {seen(value[:60])}") from None


def _brought(place: str, row: Mapping[str, Any], file: Path) -> Brought:
    said = required({"conversations": literal(row.get("conversations"))}, "conversations", list_of(_message))
    pictures = required(row, "images", list_of(lambda picture: pictured(picture, file.parent)))
    placed = sum(value.count("<image>") for who, value in said if who != "assistant")
    if placed != len(pictures):
        raise InvalidInput(f"there are {len(pictures)} pictures for {placed} placeholders <image>")
    messages = [message for message in said if message[0] != "system"]
    if not messages or messages[0][0] != "user":
        raise InvalidInput("conversations: a question of a human is expected first")
    count = messages[0][1].count("<image>")
    files, rest = pictures[:count], list(pictures[count:])
    if not files:
        raise InvalidInput("conversations[0]: a placeholder <image> is expected")
    question, options = question_and_options(without_placeholders(messages[0][1], (count,)))
    ids = [str(row[name]) for name in ("sample_index", "rollout_index") if row.get(name) is not None]
    example = Example(
        question,
        (),
        options=options,
        category=optional(row, "data_source", text, None),
        source=f"{file.stem}/{'-'.join(ids) or place}",
    )
    return replayed(place, example, files, _turns(messages[1:], rest), protocol_named(mini_o3.NAME))


def _message(data: Any) -> tuple[str, str]:
    require_object(data)
    who = required(data, "from", one_of(tuple(_WHO)))
    return _WHO[who], required(data, "value", text)


def _turns(messages: Sequence[tuple[str, str]], pictures: list[Source]) -> list[SaidTurn]:
    turns: list[SaidTurn] = []
    for number, (who, value) in enumerate(messages, 1):
        if (who == "assistant") != (number % 2 == 1):
            raise InvalidInput(f"conversations[{number}]: human and gpt are expected to take turns")
        if who == "assistant":
            turns.append(SaidTurn(value))
            continue
        shown = tuple(pictures.pop(0) for _ in range(value.count("<image>")))
        turns[-1] = replace(turns[-1], pictures=shown, error=None if shown else value.strip())
    return turns


def _question(place: str, row: Mapping[str, Any], file: Path) -> Question:
    images = row.get("images")
    listed = images if isinstance(images, list) else [images]
    files = tuple(pictured(picture, file.parent) for picture in listed)
    said = without_placeholders(required(row, "problem", text), (len(files),))
    question, options = question_and_options(said)
    solution, doc_id = row.get("solution"), row.get("doc_id")
    answer = solution if isinstance(solution, str) or solution is None else json.dumps(solution)
    original_id = None if doc_id is None else str(doc_id)
    example = Example(question, (), answer, options, source=f"{file.stem}/{original_id or place}")
    return Question(place, example, files, original_id)


MINI_O3 = Format(
    name="mini-o3",
    title="Mini-o3",
    description="The cold-start conversations of Mini-o3, and its questions for RL.",
    file="train.parquet",
    read=read,
)
