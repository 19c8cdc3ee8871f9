"""A JSON list read item by item, however long it is.

The algorithm: the first item of what was read is decoded; it counts once something stands behind it, as a number may go on.
Where that fails, as much again is read, so a long item is not begun again too often.

Not covered: what follows an item that is no JSON, since nothing says where the next one begins.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

__all__ = ["Broken", "items"]

_CHUNK_CHARACTERS = 1 << 16
_MAX_ITEM_CHARACTERS = 256_000_000


@dataclass(frozen=True, slots=True)
class Broken:
    """In the place of an item: here the list breaks off, for the reason `problem`."""

    problem: str


def items(text: TextIO) -> Iterator[Any]:
    """The items of the list that `text` holds, each as soon as it is whole; ends with a `Broken` where the list does not
    end as it should."""
    decoder, is_at_end = json.JSONDecoder(), False
    held = text.read(_CHUNK_CHARACTERS).lstrip("\ufeff \t\r\n")[1:]
    while True:
        held = held.lstrip(" \t\r\n,")
        if held.startswith("]"):
            return
        try:
            value, end = decoder.raw_decode(held)
            if end < len(held) or is_at_end:
                yield value
                held = held[end:]
                continue
        except (ValueError, RecursionError) as error:
            if is_at_end:
                yield Broken(f"the list ends in the middle, or what stands here is not JSON ({error})")
                return
        more = text.read(max(_CHUNK_CHARACTERS, len(held)))
        is_at_end = not more
        held += more
        if len(held) > _MAX_ITEM_CHARACTERS:
            yield Broken("this item is longer than 256 MB, or what stands here is not JSON")
            return
