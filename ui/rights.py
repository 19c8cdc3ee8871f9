"""Rights at the screens: which action a route or a handler is, and whether whoever asks may do it.

A route says `dependencies=[acts("edit")]`, a handler of Gradio is wrapped by `@handles("train")`, a tool of MCP asks
`permitted`; all ask `engine.rights` before anything else is done. A test finds all of them, and fails for one that says nothing.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import gradio as gr
from fastapi import Depends, Request

from engine.errors import NotAllowed
from engine.rights import require
from ui.guests import person_of

__all__ = ["action_of", "acts", "handles", "permitted"]


def permitted(request: Any, action: str) -> str:
    """The name of whoever sent `request` (a Starlette or a Gradio request). Raises NotAllowed where they may not do
    `action`."""
    person = person_of(request)
    require(person.role, action)
    return person.name


def acts(action: str) -> Any:
    """A route's dependency: raises NotAllowed where whoever sent the request may not do `action`."""

    async def permit(request: Request) -> None:
        permitted(request, action)

    permit.action = action  # type: ignore[attr-defined]
    return Depends(permit)


def handles(action: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Wraps a handler of Gradio, one of whose parameters is the `gr.Request`: where whoever sent it may not do `action`, the
    page says so, and the handler is not run."""

    def wrap(handler: Callable[..., Any]) -> Callable[..., Any]:
        def permit(values: tuple[Any, ...]) -> None:
            request = next(value for value in values if isinstance(value, gr.Request))
            try:
                permitted(request, action)
            except NotAllowed as error:
                raise gr.Error(str(error)) from error

        # Gradio asks what kind of function it was given: a generator's wrapper is a generator.
        if inspect.isgeneratorfunction(handler):

            @functools.wraps(handler)
            def asked(*values: Any) -> Any:
                permit(values)
                yield from handler(*values)
        else:

            @functools.wraps(handler)
            def asked(*values: Any) -> Any:
                permit(values)
                return handler(*values)

        asked.action = action  # type: ignore[attr-defined]
        return asked

    return wrap


def action_of(called: Any) -> str | None:
    """The action that a handler, or the dependency of a route, declares; None where it declares none."""
    return getattr(called, "action", None)
