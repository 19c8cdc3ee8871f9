"""Drawn examples as files: the media and their EXAMPLES.jsonl, in the form that `engine.evaluation.examples` reads."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from engine.errors import InvalidInput
from engine.evaluation.benchmarks import Drawn
from engine.evaluation.examples import FILE_NAME

__all__ = ["write_examples"]


def write_examples(drawn: Iterable[Drawn], folder: Path) -> Path:
    """Write media files and EXAMPLES.jsonl into `folder`, which is made; the list comes last, so a folder that has one is
    whole. Returns its path. Raises InvalidInput where the folder has one already or cannot be written."""
    target = folder / FILE_NAME
    if target.exists():
        raise InvalidInput(f"{folder} already holds {FILE_NAME}; choose another folder, or delete it first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{FILE_NAME}.partial"
        with partial.open("w", encoding="utf-8") as file:
            for one in drawn:
                media = one.name + one.suffix
                (folder / media).write_bytes(one.content)
                file.write(json.dumps(_line_of(one, media), ensure_ascii=False) + "\n")
        os.replace(partial, target)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error.strerror or error}") from error
    return target


def _line_of(drawn: Drawn, media: str) -> dict[str, Any]:
    evidence = drawn.evidence
    found = {"boxes": [box.as_list() for box in evidence.boxes]} if evidence.boxes else {"frames": [*evidence.frames]}
    marks = {"rule": drawn.rule, "category": drawn.category, "difficulty": drawn.difficulty}
    return {
        "question": drawn.question,
        "media": media,
        "answer": drawn.answer,
        **({"options": [*drawn.options]} if drawn.options else {}),
        "evidence": found,
        **{name: mark for name, mark in marks.items() if mark is not None},
    }
