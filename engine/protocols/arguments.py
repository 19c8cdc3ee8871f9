"""What models of other makers write as arguments, read: numbers, boxes, frames; loosely where the meaning is plain.

The idea: a model that writes "3" for 3, or a box that sticks out of its picture, has said what it wants to see. Refusing it
costs a turn and a picture, and the code that these models were trained with does not: each leniency is a row of
docs/protocols.md, with its source.

Invariant: what is read is finite; whatever cannot be read is a ModelMistake that says what was written.

Not covered: the embedded reasoner's arguments, which are read as strictly as it was taught (`engine.protocols.studio`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence

from engine.errors import InvalidBox, InvalidFrames, MalformedCall
from engine.trace import Box

__all__ = ["clamped_box", "four_numbers", "frames_of", "whole_number"]


def four_numbers(value: object) -> tuple[float, float, float, float]:
    """Four finite numbers from a list of numbers or of their texts, or from the text of such a list. Raises InvalidBox."""
    read = _list(value)
    if read is None or len(read) != 4:
        raise InvalidBox(f"bbox_2d needs four numbers [x1, y1, x2, y2], not {value!r}")
    numbers = [_number(one) for one in read]
    if any(number is None for number in numbers):
        raise InvalidBox(f"bbox_2d needs four finite numbers, not {value!r}")
    return tuple(numbers)  # type: ignore[return-value]


def clamped_box(values: Sequence[float], width: float, height: float) -> Box:
    """The box x1, y1, x2, y2 on a picture that is `width` wide and `height` high in the same unit; what sticks out is cut
    off. Raises InvalidBox where nothing is left, or a side is reversed."""
    # Clamped before dividing: an integer of hundreds of digits is no float.
    shares = [min(max(v, 0), edge) / edge for v, edge in zip(values, (width, height, width, height), strict=True)]
    return Box(*shares)


def whole_number(value: object, name: str) -> int:
    """A whole number, also as 2.0 or "2". Raises MalformedCall naming the argument."""
    number = _number(value)
    if number is None or not float(number).is_integer():
        raise MalformedCall(f"{name} needs a whole number, not {value!r}")
    return int(number)


def frames_of(value: object) -> tuple[int, ...]:
    """A list of whole frame numbers, or of their texts. Raises InvalidFrames."""
    read = _list(value)
    numbers = [_number(one) for one in read] if read is not None else [None]
    if any(number is None or not float(number).is_integer() for number in numbers):
        raise InvalidFrames(f"target_frames needs a list of whole numbers such as [3, 4], not {value!r}")
    return tuple(int(number) for number in numbers if number is not None)


def _list(value: object) -> list[object] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) else None


def _number(value: object) -> float | int | None:
    """The number that a JSON value or its text is; None for anything else, and for what no float can hold."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None
