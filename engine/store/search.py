"""What a person types to find traces, as one expression for the full-text index.

Invariant: text that a person types is only ever quoted words: it can find nothing, but never raise.

Not covered: filters (`engine.store.query`), pages and their order (`engine.store.queue`).
"""

from __future__ import annotations

import unicodedata
from typing import Literal, get_args

from engine.store.identity import storable

__all__ = ["STATUSES", "Outcome", "Status", "search_expression"]

Status = Literal["new", "edited", "accepted", "rejected", "flagged"]
STATUSES: tuple[Status, ...] = get_args(Status)
Outcome = Literal["right", "wrong", "partial", "unscored"]

_SEARCH_WORDS = 32


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
