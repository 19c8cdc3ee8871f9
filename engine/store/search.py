"""What a person looks for in the queue, as one expression for the full-text index.

Invariants:
- text that a person types is only ever quoted words: it can find nothing, but never raise;
- a filter is a word of the index's column "facets", spelt as `engine.store.facets` spells it.

Not covered: pages and their order (`engine.store.traces`).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

from engine.store.identity import storable
from engine.trace import MediaKind, StopReason

__all__ = ["STATUSES", "Filters", "Outcome", "Status", "search_expression"]

Status = Literal["new", "edited", "accepted", "rejected", "flagged"]
STATUSES: tuple[Status, ...] = get_args(Status)
Outcome = Literal["right", "wrong", "partial", "unscored"]

_SEARCH_WORDS = 32


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page shows; None filters nothing. `source` is the part of an example's source before its first "/"."""

    status: Status | None = None
    policy: str | None = None
    source: str | None = None
    kind: MediaKind | None = None
    stop_reason: StopReason | None = None
    has_operation: bool | None = None
    has_errors: bool | None = None
    outcome: Outcome | None = None

    def words(self) -> list[str]:
        """The facet words that a trace must have, as the triggers of migration m007 write them."""
        named = {"status": self.status, "policy": self.policy, "source": self.source, "stop": self.stop_reason}
        plain = {"kind": self.kind, "outcome": self.outcome}
        flags = {"operation": self.has_operation, "error": self.has_errors}
        return (
            [f"{name}{storable(value).encode().hex()}" for name, value in named.items() if value is not None]
            + [f"{name}{value}" for name, value in plain.items() if value is not None]
            + [f"{name}{int(value)}" for name, value in flags.items() if value is not None]
        )


def search_expression(text: str) -> str | None:
    """The full-text expression for what a person typed: traces that have all the words, the last as a beginning of one;
    "quoted words" in sequence. None for no text at all. Any text is allowed."""
    phrases: list[str] = []
    is_quoted = False
    for part in storable(text).replace("\0", " ").split('"'):
        phrases.extend([part] if is_quoted else part.split())
        is_quoted = not is_quoted
    phrases = [phrase for phrase in phrases if phrase.strip()]
    # A phrase without a letter or digit is no word of the index and would leave nothing found beside it.
    quoted = [f'"{phrase}"' for phrase in ([p for p in phrases if _has_word(p)] or phrases)][:_SEARCH_WORDS]
    if not quoted:
        return None
    # One Latin letter begins nearly every text: it narrows nothing and reads the whole index.
    is_letter = len(quoted[-1]) == 3 and quoted[-1].isascii()
    ends_open = not is_letter and len(quoted) < _SEARCH_WORDS and not text[-1:].isspace() and not text.endswith('"')
    return f"{{question thoughts answer}} : ({' AND '.join(quoted)}{'*' if ends_open else ''})"


def _has_word(phrase: str) -> bool:
    return any(character.isalnum() or unicodedata.category(character) == "Co" for character in phrase)
