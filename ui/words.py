"""Values as the words that a person reads; `ui/client/words.js` is the same for the browser. Pure."""

from __future__ import annotations

__all__ = ["counted", "sentence"]


def counted(number: int, noun: str) -> str:
    """A number with its noun: 1 step, 1,200 steps."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def sentence(text: str) -> str:
    """The text with a capital and a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if not text or text[-1] in ".!?…" else ".")
