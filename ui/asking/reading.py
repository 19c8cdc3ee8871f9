"""What a person asks, read from values that a browser sent: hashes, texts and numbers, looked up and checked."""

from __future__ import annotations

from typing import Any

from engine.errors import InvalidInput
from engine.trace import Example
from ui.studio import Studio

__all__ = ["MAX_FILES", "MAX_QUESTION_CHARACTERS", "example_of", "hashes_of", "options_of", "seed_of"]

MAX_FILES = 4
MAX_QUESTION_CHARACTERS = 2000
_MAX_OPTIONS = 26
_MAX_OPTION_CHARACTERS = 200


def hashes_of(value: Any) -> list[str]:
    """The hashes of the media that a component's value names, at most MAX_FILES."""
    media = value.get("media") if isinstance(value, dict) else None
    return [str(medium.get("sha256")) for medium in (media or [])[:MAX_FILES] if isinstance(medium, dict)]


def seed_of(text: str | None) -> int | None:
    """The seed that a person typed, None for an empty field. Raises InvalidInput for anything but a whole number from 0."""
    text = (text or "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit():
        raise InvalidInput(f"The seed {text!r} is not a whole number from 0; leave it empty for the most likely words.")
    return int(text)


def options_of(text: str | None) -> tuple[str, ...]:
    """The options of a multiple choice, one a line, without the letters that people write before them ("A)", "b."). Raises
    InvalidInput for one option, for more than 26, and for one that is too long."""
    lines = [line.strip() for line in (text or "").splitlines() if line.strip()]
    letters = [f"{chr(ord('A') + k)}{mark}" for k in range(len(lines)) for mark in ")."]
    if lines and all(line[:2].upper() in letters for line in lines):
        lines = [line[2:].strip() for line in lines]
    if len(lines) == 1:
        raise InvalidInput("One option is no choice: write two or more, one a line, or none.")
    if len(lines) > _MAX_OPTIONS:
        raise InvalidInput(f"These are {len(lines)} options; at most {_MAX_OPTIONS} can be chosen among.")
    if long := next((line for line in lines if not 0 < len(line) <= _MAX_OPTION_CHARACTERS), None):
        raise InvalidInput(f"An option has {len(long)} characters; at most {_MAX_OPTION_CHARACTERS} can be shown.")
    return tuple(lines)


def example_of(studio: Studio, person: str, hashes: list[str], text: str, options: tuple[str, ...] = ()) -> Example:
    """A person's question about media of the studio. Raises InvalidInput for what cannot be asked, NotFound for media that
    are not there for them."""
    question = (text or "").strip()
    if not hashes:
        raise InvalidInput("Choose a picture or a clip first: a sample, or one of your own.")
    if not question:
        raise InvalidInput("Write a question first.")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise InvalidInput(
            f"The question has {len(question)} characters; at most {MAX_QUESTION_CHARACTERS} can be asked at once."
        )
    for sha256 in hashes:
        studio.workbench.require_media_seen(person, sha256)
    return Example(question, tuple(studio.media.load(sha256).media for sha256 in hashes), options=options)
