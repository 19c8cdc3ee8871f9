"""One cell of a table, read as what its column means: a text, an answer, options, boxes, frames, files.

Tables say the same in many ways: a list may be a list, its JSON, or its Python literal (MMMU's options); nothing may be null,
NaN, an empty cell or the text "nan"; 3 may be 3.0, because a column with an empty cell became one of floats. Literals are
parsed (`ast.literal_eval`), never run.

Each reader returns None or () for nothing, and raises InvalidInput with what was seen where it cannot read the cell.
"""

from __future__ import annotations

import ast
import base64
import binascii
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import InvalidInput
from engine.json_fields import seen

__all__ = [
    "answers_in",
    "boxes_in",
    "embedded_bytes",
    "frames_in",
    "is_nothing",
    "options_in",
    "options_of_columns",
    "structure_in",
    "text_in",
    "whole_in",
]

_MAX_LITERAL_CHARACTERS = 1_000_000
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DATA_ADDRESS = re.compile(r"data:(?:image|video)/[\w.+-]+;base64,", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]{256,}={0,2}\s*")
_LETTERED = re.compile(r"\s*\(?([A-Z])\s*[).:]\s*(?=\S)")


def is_nothing(value: Any) -> bool:
    """Null, NaN, an empty or blank text, or the text "nan" as pandas writes it."""
    if value is None or isinstance(value, float) and math.isnan(value):
        return True
    return isinstance(value, str) and value.strip() in ("", "nan", "NaN", "<NA>")


def text_in(value: Any) -> str | None:
    """A text, or a number as a person would write it (3.0 is 3, since a column's type is no opinion)."""
    if is_nothing(value):
        return None
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)) and abs(value) < math.inf:
        return str(int(value)) if value == int(value) else repr(value)
    raise InvalidInput(f"a text is expected, not {seen(value)}")


def whole_in(value: Any) -> int | None:
    """The whole number that a cell is: 2, 2.0, "2" and "2.0"; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return int(float(value)) if re.fullmatch(r"\s*[+-]?\d{1,15}(?:\.0+)?\s*", value) else None
    return int(value) if isinstance(value, (int, float)) and abs(value) < math.inf and value == int(value) else None


def structure_in(value: Any) -> Any:
    """What a text that is a list or an object says, as JSON or as a Python literal; any other value as it is."""
    if not isinstance(value, str) or len(value) > _MAX_LITERAL_CHARACTERS:
        return value
    bare = value.strip()
    if not (bare.startswith("[") and bare.endswith("]") or bare.startswith("{") and bare.endswith("}")):
        return value
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(bare)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return value


# --- options and answers --------------------------------------------------------------------------------------------


def options_in(value: Any) -> tuple[str, ...]:
    """The options of one cell: a list, its JSON or literal, {"A": ..., "B": ...}, or {"text": [...], "label": [...]}."""
    if is_nothing(value) or isinstance(value, str) and value.strip() in ("None", "null"):
        return ()
    found = structure_in(value)
    if isinstance(found, Mapping):
        found = found["text"] if isinstance(found.get("text"), list) else options_of_letters(found)
    if not isinstance(found, (list, tuple)):
        raise InvalidInput(f'a list of options is expected, such as ["red", "blue"], not {seen(value)}')
    return without_letters(_without_gaps([text_in(one) for one in found]))


def options_of_letters(found: Mapping[str, Any]) -> list[Any]:
    letters = sorted(found)
    if letters != list(_LETTERS[: len(letters)]):
        raise InvalidInput(f"options by their letters A, B, C, ... are expected, not {seen(found)}")
    return [found[letter] for letter in letters]


def options_of_columns(values: Sequence[Any]) -> tuple[str, ...]:
    """The options of the columns A, B, C, ...; those that a row does not need are empty."""
    return without_letters(_without_gaps([text_in(one) for one in values]))


def _without_gaps(texts: Sequence[str | None]) -> tuple[str, ...]:
    """Raises InvalidInput for an empty option between two others: every later letter would name another option."""
    count = len(texts)
    while count and texts[count - 1] is None:
        count -= 1
    if None in texts[:count]:
        raise InvalidInput(f"the option {_LETTERS[list(texts).index(None)]} is empty, and later ones are not")
    return tuple(text for text in texts[:count] if text is not None)


def without_letters(options: tuple[str, ...]) -> tuple[str, ...]:
    """The options without the letters "A. ", "(B) " that each of them begins with: the protocols write their own."""
    found = [_LETTERED.match(option) for option in options]
    if options and all(one is not None and one[1] == _LETTERS[k] for k, one in enumerate(found[:26])):
        return tuple(option[one.end() :] for option, one in zip(options, found, strict=True) if one is not None)
    return options


def answers_in(value: Any) -> tuple[Any, ...]:
    """The answers of a cell, the best first: one, or a list of texts, numbers or {"answer": ...}, the most frequent first
    (VQA's ten). A text that looks like a list is one only where the list holds nothing else."""
    if is_nothing(value):
        return ()
    found = structure_in(value)
    if not isinstance(found, (list, tuple)):
        return (value,)
    said = [one.get("answer") if isinstance(one, Mapping) else one for one in found]
    said = [one for one in said if not is_nothing(one)]
    if any(not isinstance(one, (str, int, float)) for one in said):
        raise InvalidInput(f"an answer or a list of answers is expected, not {seen(value)}")
    return tuple(one for one, _ in Counter(said).most_common())


# --- evidence -------------------------------------------------------------------------------------------------------


def boxes_in(value: Any) -> tuple[tuple[float, float, float, float], ...]:
    """The boxes of a cell as they are written: [a, b, c, d], a list of such, their JSON, or objects with x1, y1, x2, y2 or
    "bbox"."""
    if is_nothing(value):
        return ()
    found = structure_in(value)
    if isinstance(found, str):
        numbers = re.split(r"[\s,;]+", found.strip().strip("()[]"))
        found = [_number(one) for one in numbers]
    if isinstance(found, Mapping) or found and all(_number(one) is not None for one in found):
        found = [found]
    if not isinstance(found, (list, tuple)):
        raise _no_box(value)
    return tuple(_box(one, value) for one in found)


def frames_in(value: Any) -> tuple[int, ...]:
    """Frame numbers: 3, [3, 4], their JSON, or "3, 4"."""
    if is_nothing(value):
        return ()
    found = structure_in(value)
    if isinstance(found, str):
        found = re.split(r"[\s,;]+", found.strip())
    numbers = [whole_in(one) for one in (found if isinstance(found, (list, tuple)) else [found])]
    if any(number is None for number in numbers):
        raise InvalidInput(f"frame numbers are expected, such as [3, 4], not {seen(value)}")
    return tuple(number for number in numbers if number is not None)


def _box(one: Any, value: Any) -> tuple[float, float, float, float]:
    if isinstance(one, Mapping):
        one = one["bbox"] if "bbox" in one else [one.get(name) for name in ("x1", "y1", "x2", "y2")]
    edges = [_number(edge) for edge in one] if isinstance(one, (list, tuple)) else []
    if len(edges) != 4 or any(edge is None for edge in edges):
        raise _no_box(value)
    return tuple(edges)  # type: ignore[return-value]


def _no_box(value: Any) -> InvalidInput:
    return InvalidInput(f"a box of four numbers, or a list of such, is expected, not {seen(value)}")


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and -math.inf < value < math.inf
    return float(value) if is_number else None


# --- files ----------------------------------------------------------------------------------------------------------


def embedded_bytes(value: Any) -> bytes | None:
    """The bytes of a picture or clip that stands in the cell itself: as bytes, as a data: address, or in base64; None where
    the cell holds something else."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if not isinstance(value, str):
        return None
    if found := _DATA_ADDRESS.match(value):
        value = value[found.end() :]
    elif not _BASE64.fullmatch(value):
        return None
    try:
        return base64.b64decode(value, validate=False)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"the base64 of a picture is damaged ({error})") from error
