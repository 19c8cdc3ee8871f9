"""The line to a server: its client, what not every server takes, pictures as text, and failures as sentences.

Invariant: a key is in no message. Not covered: what is said (`engine.policies.server.policy`).
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping
from typing import Any

import openai
from PIL import Image

from engine.errors import Unavailable
from engine.policies.address import Address

__all__ = ["EXTRAS", "client", "data_url", "extras", "told"]

_RETRIES = 5
_CONNECT_S, _READ_S = 5.0, 120.0
EXTRAS: Mapping[str, Mapping[str, Any]] = {
    "stream_options": {"stream_options": {"include_usage": True}},
    "logprobs": {"logprobs": True},
    "seed": {"seed": 0},
    "stop": {"stop": ["</tool_call>"]},
}
"""What not every server takes, by the name under which it is remembered."""


def extras(takes: Iterable[str]) -> dict[str, Any]:
    """The fields of a request by which these are asked for."""
    return {key: value for name in takes for key, value in EXTRAS[name].items()}


def client(address: Address, key: str, retries: int = _RETRIES) -> openai.AsyncOpenAI:
    timeout = openai.Timeout(_READ_S, connect=_CONNECT_S)
    return openai.AsyncOpenAI(base_url=address.url, api_key=key or "none", timeout=timeout, max_retries=retries)


def data_url(picture: Image.Image) -> str:
    """As PNG, so that the server sees what the studio shows, to the pixel."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def told(error: Exception, address: Address, key: str) -> Unavailable:
    """What the server's failure is to a person."""
    where = f"the server at {address.url}"
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return Unavailable(f"{where} does not take the key; set OPENAI_API_KEY to one that it knows")
        case openai.NotFoundError():
            return Unavailable(f"{where} has no model {address.model!r}, or no chat completions below that address")
        case openai.APITimeoutError():
            return Unavailable(f"{where} said nothing for {_READ_S:.0f} s; ask again, or look at its log")
        case openai.RateLimitError():
            return Unavailable(f"{where} is asked too much ({_RETRIES + 1} tries); ask again later")
        case openai.APIStatusError():
            return Unavailable(f"{where} refused with {error.status_code}: {_short(error.message, key)}")
        case openai.APIConnectionError():
            return Unavailable(f"{where} cannot be reached, or broke off; see that it runs, and the address")
        case _:
            return Unavailable(f"{where} did not answer as an OpenAI-compatible server does ({type(error).__name__})")


def _short(text: str, key: str) -> str:
    line = text.strip().partition("\n")[0][:200]
    return line.replace(key, "...") if key else line
