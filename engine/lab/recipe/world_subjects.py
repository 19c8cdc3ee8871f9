"""What a question asks about, said again in its own words before it is looked for.

Idea: a thing is found by comparing every token of a view with what is asked for. Where that is named right before the
answer, the token that is about to answer has it beside it. Words are copied from the question, so each knows where it stands
there.

Invariant: every question of the miniature benchmarks has a subject (held by a test); spans are of the question's own text and
begin with the space before a word, which makes their tokens those of the question.

Not covered: what is found (`world_thoughts`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Said", "other_of", "subject_of", "where_of"]


@dataclass(frozen=True, slots=True)
class Said:
    """A part of a thought; `span` is where it stands in the question, if it is copied from there."""

    text: str
    span: tuple[int, int] | None = None


_SUBJECTS: tuple[tuple[str, tuple[str | int, ...]], ...] = (
    (r"What color is the (\w+) on the (\w+ \w+)\?", (" On the", 2, " the", 1, " is")),
    (r"What is the (\w+) object on the (\w+ \w+)\?", (" On the", 2, " the", 1, " object is the")),
    (r"On the (\w+ \w+), where is the (\w+), seen from the (\w+)\?", (" On the", 1, " the", 2)),
    (r"How many (.+) are on the (\w+ \w+)\?", (" On the", 2, " the", 1, ":")),
    (r"Which way does the (\w+) move\?", (" The", 1)),
    (r"What is on the (\w+ \w+) (first|last)\?", (" On the", 1, 2, " is the")),
    (r"What is written on the (\w+ board)\?", (" On the", 1, " it says")),
    (r"What number is next to (\w+) in the table\?", (" The number next to ", 1)),
    (r"What (\w+) is (above|below) the (\w+ bar)\?", (" The", 1, 2, " the", 3, " says")),
    (r"What number is in the (\w+ panel)\?", (" The", 1, " says")),
    (r"What is the (title) of the poster\?", (" The", 1, " says")),
    (r"What is the code in the (small print)\?", (" The", 1, " says")),
    (r"What color is the (tallest bar)\?", (" The", 1, " is")),
)
_WHERE = re.compile(r"(on|On|in|above|below) the (\w+ (?:board|disc|panel|bar|print)|table)")


def subject_of(question: str) -> tuple[Said, ...]:
    """What is said before the answer, or before the first place; the last copied part is what is looked for. Raises
    ValueError for a question that no miniature benchmark asks."""
    for pattern, parts in _SUBJECTS:
        if found := re.fullmatch(pattern, question):
            return tuple(_said(question, found, part) for part in parts)
    raise ValueError(f"no miniature benchmark asks {question!r}")


def _said(question: str, found: re.Match[str], part: str | int) -> Said:
    if isinstance(part, str):
        return Said(part)
    start, end = found.span(part)
    start -= question[start - 1] == " "
    return Said(question[start:end], (start, end))


def other_of(question: str) -> Said:
    """The second thing of a question about two."""
    found = re.search(r", seen from the (\w+)\?", question)
    if found is None:
        raise ValueError(f"{question!r} asks about one thing")
    return _said(question, found, 1)


def where_of(question: str) -> tuple[Said, ...]:
    """Where to look closer, as " on the red disc"; nothing where the question does not say."""
    found = _WHERE.search(question)
    if found is None:
        return ()
    named = _said(question, found, 2)
    if found[1] in ("above", "below"):
        return _said(question, found, 1), Said(" the"), named
    return Said(f" {found[1].lower()} the"), named
