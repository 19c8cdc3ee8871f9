"""The endpoints as Gradio's: named, typed, found by `gradio_client` and its `view_api`.

Gradio's own `gr.api` reads types only, and opens what a value names: a file is looked for on its disk, an address is
fetched, before any handler is asked. So its component is used with schemas of ours, and says that its files lie
elsewhere, whereupon Gradio leaves them alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from inspect import Parameter, Signature
from typing import Any

import gradio as gr
from gradio.components.api_component import Api

from engine.errors import PersonError
from ui.api.endpoint import Endpoint, Services
from ui.api.table import ENDPOINTS
from ui.api.upload_routes import hash_of_file
from ui.guests import person_of
from ui.rights import handles

__all__ = ["add_endpoints"]

_ELSEWHERE = "https://media.invalid/"
"""Where Gradio believes files to lie; nothing is ever asked there."""


def add_endpoints(services: Services) -> None:
    """Adds every endpoint to the Blocks that are being built."""
    for one in ENDPOINTS:
        schema = one.input_schema
        inputs = [_argument(name, part) for name, part in schema.get("properties", {}).items()]
        gr.on(
            [],
            _handler(one, services),
            inputs,
            _value("Answer", one.output_schema),
            api_name=one.name,
            api_description=one.description,
            preprocess=False,
            postprocess=False,
            show_progress="hidden",
        )


def _argument(name: str, schema: dict[str, Any]) -> Api:
    described = schema | {"additional_description": schema.get("description", "")}
    return _value(name, described, schema.get("default"))


def _value(label: str, schema: dict[str, Any], value: Any = None) -> Api:
    """An argument or an answer of an endpoint, by its JSON Schema."""
    component = Api(value, schema, label)
    component.proxy_url = _ELSEWHERE
    return component


def _handler(endpoint: Endpoint, services: Services) -> Any:
    """What Gradio calls with the arguments in their order and the request."""

    def answers(values: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
        request, *arguments = values
        try:
            given = {
                name: _without_files(value) for name, value in zip(endpoint.model.model_fields, arguments, strict=True)
            }
            yield from endpoint.answers(services, person_of(request), given)
        except PersonError as error:
            raise gr.Error(str(error), print_exception=False) from error

    # Gradio asks what kind of function it was given: only what is watched may be a generator.
    if endpoint.is_watched:

        def handler(*values: Any) -> Any:
            yield from answers(values)
    else:

        def handler(*values: Any) -> Any:
            [answer] = answers(values)
            return answer

    fields = endpoint.model.model_fields
    parameters = [
        Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, default=Parameter.empty if f.is_required() else f.default)
        for name, f in fields.items()
    ]
    request = Parameter("request", Parameter.POSITIONAL_OR_KEYWORD, annotation=gr.Request)
    handler.__name__ = handler.__qualname__ = endpoint.name
    handler.__doc__ = endpoint.description
    handler.__annotations__ = {"request": gr.Request}
    handler.__signature__ = Signature([request, *parameters])  # type: ignore[attr-defined]
    return handles(endpoint.action)(handler)


def _without_files(value: Any) -> Any:
    """The value, with every file that `gradio_client` sent replaced by the hash that the upload was answered with."""
    if isinstance(value, list):
        return [_without_files(one) for one in value]
    if isinstance(value, dict) and isinstance(path := value.get("path"), str):
        return hash_of_file(path)
    return value
