"""Names and times of records: ids that sort by time, times as UTC text, one canonical JSON, the hash of a revision.

Invariants:
- an id is 32 hexadecimal digits, a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits, so ids
  sort by the millisecond they were made in and cannot be guessed;
- a time is UTC in ISO 8601 with milliseconds and a Z, so that text order is time order;
- canonical JSON is one text for one value, so that the bytes say exactly what the value was.

The bytes of a revision's hash are a contract, for as long as there are databases:

    hash = SHA-256(parent's hash + trace_json), 64 lower-case hexadecimal digits

- the parent's hash is its 64 digits in ASCII, and nothing for the first revision;
- trace_json is the text in the revision's row, ASCII: the trace's public JSON form with "id" null, in canonical JSON.
  What is hashed is the text as it was written: a later form of the trace leaves the hashes of earlier revisions alone;
- canonical JSON: keys sorted by code point at every level; "," and ":" without spaces; no line end; `true`, `false`,
  `null`; integers in decimal digits; floats as Python's `repr` writes them, the shortest digits that read back as the
  same double (0.1, 1.0, 1e-07, 5e-324, -0.0; never NaN or infinite); in texts `\\"`, `\\\\`, `\\n`, `\\r`, `\\t`, `\\b`,
  `\\f`, and `\\uXXXX` in lower-case digits for the other control characters and for all that is not ASCII, beyond
  U+FFFF as a surrogate pair. A lone surrogate is written like any other; text is not normalised.

tests/store/test_identity.py pins both by literals.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Any

__all__ = [
    "MAX_NAME_CHARACTERS",
    "canonical_json",
    "from_now",
    "new_id",
    "now",
    "revision_hash",
    "shown_name",
    "storable",
]

MAX_NAME_CHARACTERS = 200
"""Of a name that somebody else gave, such as a file's."""


def new_id() -> str:
    """A fresh id: 32 hexadecimal digits that sort by time."""
    stamp_ms = time.time_ns() // 1_000_000
    number = (stamp_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62
    return f"{number | secrets.randbits(62):032x}"


def now() -> str:
    """This moment in UTC, such as "2026-11-23T17:13:17.123Z"."""
    return from_now(0)


def from_now(seconds: float) -> str:
    """The moment `seconds` from this one, in the same form."""
    moment = datetime.now(UTC) + timedelta(seconds=seconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def canonical_json(value: Any) -> str:
    """The one text of a JSON value. Raises ValueError on NaN and infinities, TypeError on what is not JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def revision_hash(parent_hash: str | None, trace_json: str) -> str:
    """The hash of a revision with this canonical text: 64 hexadecimal digits. `parent_hash` is None for the first."""
    return hashlib.sha256(((parent_hash or "") + trace_json).encode("ascii")).hexdigest()


def storable(text: str) -> str:
    """`text` as a database column can hold it: two surrogates that make a character become it, as in JSON; lone ones,
    which are not Unicode text, become "?"."""
    joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return joined.encode("utf-8", "replace").decode("utf-8")


def shown_name(text: str, max_characters: int = MAX_NAME_CHARACTERS) -> str:
    """A name as it can be shown beside others: on one line, at most `max_characters`, without characters that are not seen
    but turn the line's direction or hide in it (Unicode's categories Cc, Cf, Cn, Co and Cs)."""
    seen = "".join(" " if one.isspace() else one for one in storable(text)[: 20 * max_characters])
    seen = "".join(one for one in seen if one == " " or unicodedata.category(one)[0] != "C")
    name = " ".join(unicodedata.normalize("NFC", seen).split())
    return name if len(name) <= max_characters else name[: max_characters - 1] + "…"
