"""EXAMPLES.jsonl: examples on disk, as `python -m engine examples` writes them and as people bring their own.

    {"question": "...", "media": "pictures/1.png", "answer": "KX7421", "options": ["..."],
     "evidence": {"boxes": [[x1, y1, x2, y2]]}}        one a line; options and evidence may be left out

`media` is a path relative to the file, or a list of such; `answer` may be null (unscored) and with options is a letter or
an option's text; boxes are from 0 to 1 of the picture, frames (`{"frames": [3, 4]}`) from 1 to 16 of the sampled clip.
Also optional: `rule` (text, letter, number, only-number or anls: how the answer is scored; letter with options and text
without, unless it is named), `category` and `difficulty` (texts by which the summary reports apart), `other_answers` (a
list of texts that are as good as `answer`), `source` (where it came from; by default the file's name and the line's number).
Fields that are not named here are left alone. But for `media` this is the JSON of an example (`engine.trace_json`).

Invariant: every complaint names the file, the line, the field, what was seen and what is expected, and the whole file is
checked before the first example is posed; only whether media can be decoded is found out when their turn comes.
Not covered: writing them (`engine.evaluation.writing`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput, InvalidMedia
from engine.evaluation.reading import read_letter
from engine.json_fields import expected, seen
from engine.media import DEFAULT_LIMITS, MediaLimits, Pictures, Sampling, load_media
from engine.trace import CLIP_FRAMES, Evidence, Example
from engine.trace_json import example_from_json

__all__ = ["FILE_NAME", "Posed", "Unposed", "pose", "read_examples", "require_usable"]

FILE_NAME = "EXAMPLES.jsonl"
_MAX_OPTIONS = 26


@dataclass(frozen=True, slots=True)
class Unposed:
    """An example whose media nobody has looked into: `example.media` is empty, and `files` are paths, or the bytes of files.
    `name` names it in messages and, where it is written, its files: "EXAMPLES.jsonl, line 3", "mini-signs-0-00007"."""

    name: str
    example: Example
    files: tuple[Path | bytes, ...]


@dataclass(frozen=True, slots=True)
class Posed:
    """An example with its pixels at hand."""

    example: Example
    pictures: Pictures


def pose(unposed: Unposed, limits: MediaLimits = DEFAULT_LIMITS, sampling: Sampling = "time") -> Posed:
    """Load the media; `sampling` is what the policy's protocol asks for of clips. Raises InvalidMedia, or InvalidInput where
    the evidence is of another kind than they."""
    try:
        loaded = [load_media(file, limits, sampling) for file in unposed.files]
    except InvalidMedia as error:
        raise InvalidMedia(f"{unposed.name}: {error}") from error
    example = replace(unposed.example, media=tuple(one.media for one in loaded))
    kind, evidence = loaded[0].media.kind, example.evidence or Evidence()
    if evidence.frames and kind != "video":
        raise InvalidInput(f"{unposed.name}: evidence has frames, but the media is an image; give boxes")
    if evidence.boxes and kind != "image":
        raise InvalidInput(f"{unposed.name}: evidence has boxes, but the media is a video; give frames")
    return Posed(example, {one.media.sha256: one for one in loaded})


def read_examples(path: Path) -> tuple[Unposed, ...]:
    """All examples of a file, in its order. Raises InvalidInput for the first line that is not as it should be."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is no UTF-8 text (byte {error.start}); one JSON object a line is expected"
        ) from error
    # Not splitlines: it also splits at characters that a JSON text may hold, such as U+2028.
    lines = [_read_line(line, path, number) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    if not lines:
        raise InvalidInput(f"{path} holds no examples; one JSON object a line is expected")
    return tuple(lines)


def _read_line(text: str, path: Path, number: int) -> Unposed:
    where = f"{path.name}, line {number}"
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        detail = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise InvalidInput(f"{where}: this is not JSON ({detail}); one JSON object a line is expected") from None
    if not isinstance(data, dict):
        raise InvalidInput(f"{where}: a JSON object is expected, not {seen(data)}")
    for field in ("question", "media", "answer"):
        if field not in data:
            raise InvalidInput(
                f"{where}: the field {field!r} is missing; question, media and answer are expected "
                "(an answer of null stays unscored)"
            )
    try:
        example = example_from_json({"source": f"{path.name}/{number}", **data, "media": []})
        require_usable(example)
        return Unposed(where, example, _media_files(data["media"], path.parent))
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from None


def require_usable(example: Example) -> None:
    """What JSON cannot say: texts that say something, answers that can be right, evidence that can be looked at. Raises
    InvalidInput."""
    answers = {"answer": example.answer} | {f"other_answers[{k}]": one for k, one in enumerate(example.other_answers)}
    texts = {"question": example.question, "category": example.category, "difficulty": example.difficulty}
    for field, text in (texts | answers).items():
        if text is not None and not text.strip():
            raise expected("a text", text).within(field)
    if len(example.options) > _MAX_OPTIONS:
        raise expected(f"a list of at most {_MAX_OPTIONS} texts", list(example.options)).within("options")
    for field, text in answers.items() if example.options else ():
        if text is not None and read_letter(text, example.options) is None:
            last = chr(ord("A") + len(example.options) - 1)
            raise expected(f"a letter from A to {last} or an option's text", text).within(field)
    evidence = example.evidence
    if evidence is not None and bool(evidence.boxes) == bool(evidence.frames):
        raise InvalidInput(
            'evidence: a list of boxes or of frames is expected, {"boxes": [[x1, y1, x2, y2]]} or {"frames": [3, 4]}, '
            f"not {'both' if evidence.boxes else 'none'}"
        )
    if evidence is not None and not all(1 <= frame <= CLIP_FRAMES for frame in evidence.frames):
        raise expected(f"a list of frame numbers from 1 to {CLIP_FRAMES}", list(evidence.frames)).within(
            "evidence.frames"
        )


def _media_files(value: Any, folder: Path) -> tuple[Path, ...]:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise expected("a path relative to the file, or a list of such,", value).within("media")
    for name in names:
        if "\0" in name or not (folder / name).is_file():
            raise InvalidInput(f"media: there is no file {name!r} (paths are relative to the examples' file)")
    return tuple(folder / name for name in names)
