"""Names and times of records: ids that sort by time, times as UTC text, one canonical JSON.

Invariants:
- an id is 32 hexadecimal digits, a UUID of version 7 (RFC 9562): 48 bits of milliseconds, then 74 random bits, so ids
  sort by the millisecond they were made in and cannot be guessed;
- a time is UTC in ISO 8601 with milliseconds and a Z, so that text order is time order;
- canonical JSON has sorted keys, no spaces, ASCII only, and floats in Python's shortest exact form, so that the bytes
  say exactly what the value was.

Not covered: what is hashed (`engine.store.revisions`).
"""

from __future__ import annotations

import json
import secrets
import time
from datetime import UTC, datetime
from typing import Any

__all__ = ["canonical_json", "new_id", "now", "storable"]


def new_id() -> str:
    """A fresh id: 32 hexadecimal digits that sort by time."""
    stamp_ms = time.time_ns() // 1_000_000
    number = (stamp_ms & (1 << 48) - 1) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62
    return f"{number | secrets.randbits(62):032x}"


def now() -> str:
    """This moment in UTC, such as "2026-11-23T17:13:17.123Z"."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def canonical_json(value: Any) -> str:
    """The one text of a JSON value. Raises ValueError on NaN and infinities, TypeError on what is not JSON."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def storable(text: str) -> str:
    """`text` as a database column can hold it: lone surrogates, which are not Unicode text, become "?"."""
    return text.encode("utf-8", "replace").decode("utf-8")
