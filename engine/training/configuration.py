"""A run's settings from plain JSON: unknown names and wrong kinds are refused by name, values by the settings themselves."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from engine.errors import InvalidInput

__all__ = ["config_from_json"]

Config = TypeVar("Config")


def config_from_json(cls: type[Config], data: Mapping[str, Any], what: str) -> Config:
    """An instance of the frozen dataclass `cls`, each of whose fields has a default of its kind (None: a whole number or
    nothing). `what` names the run in messages, such as "SFT". Raises InvalidInput."""
    fields = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    if unknown := sorted(set(data) - set(fields)):
        raise InvalidInput(f"{what} has no setting {unknown[0]!r}; there are: {', '.join(fields)}")
    for name, value in data.items():
        default = fields[name].default
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        is_right = {
            bool: isinstance(value, bool),
            str: isinstance(value, str),
            float: is_number,
            int: is_number and value == int(value),
        }.get(type(default), value is None or (is_number and value == int(value)))
        if not is_right:
            raise InvalidInput(f"the {what} setting {name}={value!r} is of the wrong kind; the default is {default!r}")
    return cls(**data)
