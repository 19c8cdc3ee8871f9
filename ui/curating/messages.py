"""Messages between the page and the server: a posted object read, an answer or a refusal sent, JSON both ways.

Everything that a page posts below /curate is read here and nowhere else, so what no route can use (no object, too long, too
deep, half a character) is refused here, in one sentence.

Invariants: a refusal is {"error": one sentence} with 403, 404, 409, 422 or 507; a post needs a header that another site cannot
send; answers are ASCII, so that whatever text a trace holds can be sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from engine.errors import Broken, Conflict, InvalidInput, NotAllowed, NotFound, PersonError, TooMuch
from ui.guests import user_of
from ui.rights import acts

__all__ = [
    "MAX_BULK",
    "MAX_REASON_CHARACTERS",
    "Make",
    "answer",
    "answer_post",
    "answer_posts",
    "chosen_of",
    "flag_of",
    "ids_of",
    "number_of",
    "object_of",
    "parse_object",
    "read_json",
    "refusal",
    "refuse",
    "text_of",
]

Make = Callable[[dict[str, Any], str], Any]
"""make(posted object, person) -> what is answered, as JSON."""

MAX_BULK = 1000
MAX_REASON_CHARACTERS = 1000
_MAX_BODY_BYTES = 2_000_000


def answer(make: Callable[[], Any]) -> Response:
    """What `make()` returns as JSON, or the sentence of the PersonError that it raises."""
    try:
        return _json(make(), 200)
    except PersonError as error:
        return refusal(error)


def answer_posts(routes: APIRouter, path: str, action: str, make: Make) -> None:
    """Adds the route that answers what is posted to `path` with what `make` returns, in a thread; `action` is what it is in
    the table of rights."""

    @routes.post(path, dependencies=[acts(action)])
    async def posted(request: Request) -> Response:
        return await answer_post(request, make)


async def answer_post(request: Request, make: Make) -> Response:
    """`answer` for a posted object and the person who sent it."""
    try:
        body = await read_json(request)
    except PersonError as error:
        return refusal(error)
    person = user_of(request)
    return await run_in_threadpool(answer, lambda: make(body, person))


def refusal(error: PersonError) -> Response:
    """The sentence of an error, with the status that fits it."""
    statuses = {NotAllowed: 403, NotFound: 404, Conflict: 409, TooMuch: 429, Broken: 507}
    status = next((status for kind, status in statuses.items() if isinstance(error, kind)), 422)
    return _json({"error": str(error)}, status)


async def refuse(request: Request, error: Exception) -> Response:
    """FastAPI's handler for a PersonError or IntegrityError that a route, or what it depends on, raises."""
    if isinstance(error, PersonError):
        return refusal(error)
    return _json({"error": str(error)}, 500)


async def read_json(request: Request) -> dict[str, Any]:
    """The posted object. Raises InvalidInput where there is none that a route could use."""
    # A header of our own cannot be sent by a form or another site without asking first, and nobody answers.
    if "x-studio" not in request.headers:
        raise InvalidInput("This is asked from the studio's own pages only.")
    received = bytearray()
    async for chunk in request.stream():
        received.extend(chunk)
        if len(received) > _MAX_BODY_BYTES:
            raise InvalidInput(f"The page sent more than {_MAX_BODY_BYTES // 1_000_000} MB at once, which is too much.")
    return parse_object(bytes(received))


def parse_object(text: bytes) -> dict[str, Any]:
    """The object that a page posted as JSON. Raises InvalidInput where it is none that could be used."""
    try:
        body = json.loads(text)
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("The page sent half a character (a lone surrogate), which is no text.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput("The page sent nothing that can be read; reload it and try again.") from error
    if not isinstance(body, dict):
        raise InvalidInput("The page sent nothing that can be read; reload it and try again.")
    return body


# --- the fields of a posted object, each raising InvalidInput where it is not there or something else --------------------


def text_of(body: dict[str, Any], name: str, max_characters: int = 100) -> str:
    value = body.get(name)
    return value if isinstance(value, str) and len(value) <= max_characters else _unusable(name)


def number_of(body: dict[str, Any], name: str) -> int:
    """A whole number."""
    value = body.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else _unusable(name)


def object_of(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else _unusable(name)


def ids_of(body: dict[str, Any], name: str, max_count: int) -> list[str]:
    """A list of at most `max_count` ids; what is not there is empty."""
    value = body.get(name) or []
    is_usable = isinstance(value, list) and all(isinstance(one, str) and len(one) <= 100 for one in value)
    return value if is_usable and len(value) <= max_count else _unusable(name)


def chosen_of(body: dict[str, Any]) -> list[str]:
    """The ids of the traces that were chosen, at least one and at most MAX_BULK."""
    traces = ids_of(body, "traces", MAX_BULK)
    if not traces:
        raise InvalidInput(f"Choose 1 to {MAX_BULK} traces.")
    return traces


def flag_of(body: dict[str, Any], name: str) -> bool:
    """True or False; what is not there is False."""
    value = body.get(name, False)
    return value if isinstance(value, bool) else _unusable(name)


def _unusable(name: str) -> Any:
    raise InvalidInput(f"The page sent no usable {name}; reload it and try again.")


def _json(value: Any, status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(value), status_code=status, headers=headers, media_type="application/json")
