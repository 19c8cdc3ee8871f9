"""Where a model is served, read from the name that a host gives it: openai:http://HOST:PORT/v1#MODEL.

Invariant: an address holds no user and no password, for it stands in traces, logs and messages.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.errors import InvalidSetting

__all__ = ["Address", "is_address"]

_PREFIX = "openai:"


def is_address(model: str | None) -> bool:
    """Whether STUDIO_MODEL or --policy names a server."""
    return model is not None and model.startswith(_PREFIX)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a model is served: the API's `url`, and the `model` by the name that the server knows."""

    url: str
    model: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Of "openai:http://host:8000/v1#MODEL". Raises InvalidSetting."""
        url, _, model = text.removeprefix(_PREFIX).partition("#")
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not model:
            raise InvalidSetting(
                f"a server is named as {_PREFIX}http://HOST:PORT/v1#MODEL, not {_without_password(text)!r}"
            )
        if parts.username or parts.password:
            raise InvalidSetting("the address of a server holds no user or password; the key is set in OPENAI_API_KEY")
        return cls(url.rstrip("/"), model)


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@]*@", "//...@", text)
