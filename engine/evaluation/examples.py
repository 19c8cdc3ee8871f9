"""EXAMPLES.jsonl: examples on disk, as `python -m engine examples` writes them and as people bring their own.

    {"question": "...", "media": "pictures/1.png", "answer": "KX7421", "options": ["..."],
     "evidence": {"boxes": [[x1, y1, x2, y2]]}}        one a line; options and evidence may be left out

`media` is a path relative to the file, or a list of such; `answer` may be null (unscored) and with options is a letter or
an option's text; boxes are from 0 to 1 of the picture, frames (`{"frames": [3, 4]}`) from 1 to 16 of the sampled clip.
Also optional: `rule` (text, letter, number or anls: how the answer is scored; letter with options and text without, unless
it is named), `category` and `difficulty` (texts by which the summary reports apart), `other_answers` (a list of texts that
are as good as `answer`). Fields that are not named here are left alone.

Invariant: every complaint names the file, the line, the field, what was seen and what is expected, and the whole file is
checked before the first example is posed; only whether media can be decoded is found out when their turn comes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import InvalidBox, InvalidInput, InvalidMedia
from engine.evaluation.reading import read_letter
from engine.media import DEFAULT_LIMITS, MediaLimits, Pictures, load_media
from engine.trace import CLIP_FRAMES, RULES, Box, Evidence, Example, Rule

__all__ = ["FILE_NAME", "ExampleLine", "Posed", "pose", "pose_line", "read_examples"]

FILE_NAME = "EXAMPLES.jsonl"
_MAX_OPTIONS = 26


@dataclass(frozen=True, slots=True)
class Posed:
    """An example with its pixels at hand, and how a benchmark marks it: `rule` is how it is scored (None: by letter with
    options, as text without), `category` and `difficulty` are what a summary reports apart."""

    example: Example
    pictures: Pictures
    rule: Rule | None = None
    category: str | None = None
    difficulty: str | None = None


@dataclass(frozen=True, slots=True)
class ExampleLine:
    """One line of a file, read and checked. `where` is "EXAMPLES.jsonl, line 3"; `media` are paths that exist."""

    where: str
    question: str
    media: tuple[Path, ...]
    answer: str | None
    options: tuple[str, ...]
    evidence: Evidence | None
    other_answers: tuple[str, ...] = ()
    rule: Rule | None = None
    category: str | None = None
    difficulty: str | None = None


def pose(
    question: str,
    media: Sequence[Path | bytes],
    answer: str | None,
    options: Sequence[str],
    evidence: Evidence | None,
    limits: MediaLimits = DEFAULT_LIMITS,
    *,
    other_answers: Sequence[str] = (),
    rule: Rule | None = None,
    category: str | None = None,
    difficulty: str | None = None,
) -> Posed:
    """Load the media and put the example together. Raises InvalidMedia."""
    loaded = [load_media(source, limits) for source in media]
    shown = tuple(one.media for one in loaded)
    example = Example(question, shown, answer, tuple(options), evidence, tuple(other_answers))
    return Posed(example, {one.media.sha256: one for one in loaded}, rule, category, difficulty)


def pose_line(line: ExampleLine, limits: MediaLimits = DEFAULT_LIMITS) -> Posed:
    """Load the media of a line. Raises InvalidMedia, or InvalidInput where the evidence is of another kind than they."""
    try:
        posed = pose(
            line.question,
            line.media,
            line.answer,
            line.options,
            line.evidence,
            limits,
            other_answers=line.other_answers,
            rule=line.rule,
            category=line.category,
            difficulty=line.difficulty,
        )
    except InvalidMedia as error:
        raise InvalidMedia(f"{line.where}: {error}") from error
    kind = posed.example.media[0].kind
    if line.evidence and line.evidence.frames and kind != "video":
        raise InvalidInput(f"{line.where}: evidence has frames, but the media is an image; give boxes")
    if line.evidence and line.evidence.boxes and kind != "image":
        raise InvalidInput(f"{line.where}: evidence has boxes, but the media is a video; give frames")
    return posed


# --- reading --------------------------------------------------------------------------------------------------------


def read_examples(path: Path) -> tuple[ExampleLine, ...]:
    """All examples of a file, in its order. Raises InvalidInput for the first line that is not as it should be."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"{path} is no UTF-8 text (byte {error.start}); one JSON object a line is expected"
        ) from error
    lines = [
        _read_line(line, f"{path.name}, line {number}", path.parent)
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip()
    ]
    if not lines:
        raise InvalidInput(f"{path} holds no examples; one JSON object a line is expected")
    return tuple(lines)


def _read_line(text: str, where: str, folder: Path) -> ExampleLine:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        detail = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        raise InvalidInput(f"{where}: this is not JSON ({detail}); one JSON object a line is expected") from None
    if not isinstance(data, dict):
        raise InvalidInput(f"{where}: a JSON object is expected, not {_seen(data)}")
    for field in ("question", "media", "answer"):
        if field not in data:
            raise InvalidInput(
                f"{where}: the field {field!r} is missing; question, media and answer are expected "
                "(an answer of null stays unscored)"
            )
    question = data["question"]
    if not isinstance(question, str) or not question.strip():
        raise InvalidInput(f"{where}: question: a text is expected, not {_seen(question)}")
    options = _read_options(data.get("options"), where)
    return ExampleLine(
        where,
        question,
        _read_media(data["media"], where, folder),
        _read_answer(data["answer"], options, where),
        options,
        _read_evidence(data.get("evidence"), where),
        _read_other_answers(data.get("other_answers"), options, where),
        _read_rule(data.get("rule"), where),
        _read_mark(data.get("category"), "category", where),
        _read_mark(data.get("difficulty"), "difficulty", where),
    )


def _read_media(value: Any, where: str, folder: Path) -> tuple[Path, ...]:
    names = value if isinstance(value, list) else [value]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise InvalidInput(
            f"{where}: media: a path relative to the file is expected, or a list of such, not {_seen(value)}"
        )
    for name in names:
        if "\0" in name or not (folder / name).is_file():
            raise InvalidInput(f"{where}: media: there is no file {name!r} (paths are relative to the examples' file)")
    return tuple(folder / name for name in names)


def _read_answer(value: Any, options: Sequence[str], where: str) -> str | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = str(value)
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise InvalidInput(f"{where}: answer: a text, a number or null is expected, not {_seen(value)}")
    if value is not None and options and read_letter(value, options) is None:
        last = chr(ord("A") + len(options) - 1)
        raise InvalidInput(
            f"{where}: answer: a letter from A to {last} or an option's text is expected, not {_seen(value)}"
        )
    return value


def _read_other_answers(value: Any, options: Sequence[str], where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidInput(f"{where}: other_answers: a list of texts is expected, not {_seen(value)}")
    return tuple(text for one in value if (text := _read_answer(one, options, where)) is not None)


def _read_rule(value: Any, where: str) -> Rule | None:
    if value is not None and value not in RULES:
        raise InvalidInput(f"{where}: rule: one of {', '.join(RULES)} is expected, not {_seen(value)}")
    return value


def _read_mark(value: Any, field: str, where: str) -> str | None:
    if value is not None and (not isinstance(value, str) or not value.strip()):
        raise InvalidInput(f"{where}: {field}: a text is expected, not {_seen(value)}")
    return value


def _read_options(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value) or len(value) > _MAX_OPTIONS:
        raise InvalidInput(f"{where}: options: a list of at most {_MAX_OPTIONS} texts is expected, not {_seen(value)}")
    return tuple(value)


def _read_evidence(value: Any, where: str) -> Evidence | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) not in ({"boxes"}, {"frames"}):
        raise InvalidInput(
            f'{where}: evidence: {{"boxes": [[x1, y1, x2, y2]]}} or {{"frames": [3, 4]}} is expected, not {_seen(value)}'
        )
    if "frames" in value:
        return Evidence(frames=_read_frames(value["frames"], where))
    boxes = value["boxes"]
    if not isinstance(boxes, list) or not boxes:
        raise InvalidInput(f"{where}: evidence.boxes: a list of boxes is expected, not {_seen(boxes)}")
    return Evidence(boxes=tuple(_read_box(box, where) for box in boxes))


def _read_box(value: Any, where: str) -> Box:
    try:
        if not isinstance(value, list) or len(value) != 4 or any(isinstance(number, bool) for number in value):
            raise InvalidBox("")
        return Box(*value)
    except (InvalidBox, OverflowError):
        raise InvalidInput(
            f"{where}: evidence.boxes: [x1, y1, x2, y2] is expected, shares of the picture from 0 to 1 with x1 < x2 and "
            f"y1 < y2, not {_seen(value)}"
        ) from None


def _read_frames(value: Any, where: str) -> tuple[int, ...]:
    is_list = isinstance(value, list) and len(value) > 0
    if not is_list or not all(type(frame) is int and 1 <= frame <= CLIP_FRAMES for frame in value):
        raise InvalidInput(
            f"{where}: evidence.frames: a list of frame numbers from 1 to {CLIP_FRAMES} is expected, not {_seen(value)}"
        )
    return tuple(value)


def _seen(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."
