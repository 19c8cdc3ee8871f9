"""What an endpoint is: a typed function, and what is read from its signature.

`call(services, person, **arguments)` returns a JSON object, or yields such objects, each newer than the last, where the
endpoint is watched: then closing the generator ends the work. Each argument is `Annotated` with a pydantic `Field`, whose
description and bounds are its documentation and its check.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from engine.errors import InvalidInput
from engine.rights import Person
from ui.answering import Answering
from ui.studio import Studio

__all__ = ["Endpoint", "Services", "endpoint"]

_GIVEN = 2
"""How many parameters come from the studio: the services and the person."""


@dataclass(frozen=True, slots=True)
class Services:
    """What endpoints work with."""

    studio: Studio
    answering: Answering


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`action` is what it is in the table of rights; `model` reads its arguments; `result` is the type of what it answers."""

    action: str
    call: Callable[..., Any]
    model: type[BaseModel]
    result: Any

    @property
    def name(self) -> str:
        return self.call.__name__

    @property
    def description(self) -> str:
        return " ".join((self.call.__doc__ or "").split())

    @property
    def is_watched(self) -> bool:
        return inspect.isgeneratorfunction(self.call)

    @property
    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, an object."""
        schema = self.model.model_json_schema()
        return {name: value for name, value in schema.items() if name != "title"}

    @property
    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer, an object."""
        schema = TypeAdapter(self.result).json_schema()
        return schema | {"description": " ".join(schema.get("description", "").split())}

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What was given as the function takes it, defaults filled in. Raises InvalidInput in one sentence."""
        try:
            read = self.model.model_validate(dict(given))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise InvalidInput(f"{self.name} cannot take its argument {place}: {first['msg']}") from None
        return {name: getattr(read, name) for name in self.model.model_fields}

    def answers(
        self, services: Services, person: Person, given: Mapping[str, Any]
    ) -> Generator[dict[str, Any], None, None]:
        """The answer to what was given; of a watched endpoint each newer one. Closing it ends the work. Raises PersonError."""
        arguments = self.arguments(given)
        if self.action == "ask":
            services.studio.access.use.ask(person)
        answer = self.call(services, person.name, **arguments)
        if not self.is_watched:
            yield _sendable(answer)
            return
        try:
            for newer in answer:
                yield _sendable(newer)
        finally:
            answer.close()


def endpoint(action: str, call: Callable[..., Any]) -> Endpoint:
    """Reads an endpoint from its function."""
    hints = get_type_hints(call, include_extras=True)
    parameters = list(inspect.signature(call).parameters.values())[_GIVEN:]
    fields: dict[str, Any] = {
        one.name: (hints[one.name], ... if one.default is one.empty else one.default) for one in parameters
    }
    result = get_args(hints["return"])[0] if inspect.isgeneratorfunction(call) else hints["return"]
    return Endpoint(action, call, create_model(call.__name__, __config__=ConfigDict(extra="forbid"), **fields), result)


def _sendable(value: Any) -> Any:
    """As it can be sent: half a character (a lone surrogate), which a trace may hold, is no UTF-8 and becomes "?"."""
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
