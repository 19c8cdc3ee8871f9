"""Reading JSON field by field: each value as it should be, or one sentence that names the field.

    required(data, "steps", list_of(step_from_json))      InvalidInput: steps[2].thought: a text is expected, not 7

The idea: a reader is a function from a JSON value to a value; it raises `Misread`, and whoever called it puts the name of
its field in front. So nothing is spent on names where nothing is wrong. JSON has one kind of number: 3.0 is a whole number,
true is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from engine.errors import InvalidInput

__all__ = [
    "Misread",
    "expected",
    "list_of",
    "made",
    "one_of",
    "optional",
    "require_object",
    "required",
    "seen",
    "text",
    "truth",
    "whole",
]

Value = TypeVar("Value")
Default = TypeVar("Default")
Read = Callable[[Any], Value]


class Misread(InvalidInput):
    """A value that is not as it should be; `field` is the way to it from where reading began ("steps[2].thought")."""

    def __init__(self, said: str, field: str = "") -> None:
        super().__init__(f"{field}: {said}" if field else said)
        self.said, self.field = said, field

    def within(self, outer: str) -> Misread:
        """The same as seen from one object or list further out."""
        separator = "." if self.field and not self.field.startswith("[") else ""
        return Misread(self.said, outer + separator + self.field)


def seen(value: Any) -> str:
    """A value for the end of a sentence, as JSON of at most 80 characters."""
    try:
        shown = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        shown = type(value).__name__
    return shown if len(shown) <= 80 else shown[:77] + "..."


def expected(what: str, value: Any) -> Misread:
    """To be raised: what should have stood there, and what does."""
    return Misread(f"{what} is expected, not {seen(value)}")


def required(data: Mapping[str, Any], name: str, read: Read[Value]) -> Value:
    """The field `name`, as `read` reads it. Raises Misread."""
    if name not in data:
        raise Misread("this field is missing", name)
    try:
        return read(data[name])
    except Misread as error:
        raise error.within(name) from None


def optional(data: Mapping[str, Any], name: str, read: Read[Value], default: Default) -> Value | Default:
    """The same; `default` where it is missing or null."""
    return default if data.get(name) is None else required(data, name, read)


def made(kind: Callable[..., Value], *parts: Any) -> Value:
    """`kind(*parts)`, whose own complaint (a ValueError) becomes a Misread."""
    try:
        return kind(*parts)
    except ValueError as error:
        raise Misread(str(error)) from None


def require_object(data: Any) -> None:
    """Raises Misread unless `data` is an object."""
    if not isinstance(data, Mapping):
        raise expected("an object", data)


def list_of(read: Read[Value]) -> Read[tuple[Value, ...]]:
    """Reads a list of what `read` reads."""

    def of(values: Any) -> tuple[Value, ...]:
        if not isinstance(values, (list, tuple)):
            raise expected("a list", values)
        found: list[Value] = []
        try:
            for value in values:
                found.append(read(value))
        except Misread as error:
            raise error.within(f"[{len(found)}]") from None
        return tuple(found)

    return of


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise expected("a text", value)
    return value


def truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise expected("true or false", value)
    return value


def whole(value: Any) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) or isinstance(value, float) and value.is_integer()):
        raise expected("a whole number", value)
    return int(value)


def one_of(allowed: tuple[Any, ...]) -> Read[Any]:
    """Reads one of some texts."""

    def of(value: Any) -> Any:
        if not isinstance(value, str) or value not in allowed:
            raise expected(f"one of {', '.join(allowed)}", value)
        return value

    return of
