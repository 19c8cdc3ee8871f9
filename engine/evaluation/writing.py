"""Examples as files: the media and their EXAMPLES.jsonl, in the form that `engine.evaluation.examples` reads."""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from engine.errors import InvalidInput
from engine.evaluation.examples import FILE_NAME, Unposed
from engine.media import read_head, sniff
from engine.trace_json import example_to_json

__all__ = ["write_examples"]


def write_examples(examples: Iterable[Unposed], folder: Path) -> Path:
    """Write media files and EXAMPLES.jsonl into `folder`, which is made; the list comes last, so a folder that has one is
    whole. What is read from there are the same examples. Returns its path. Raises InvalidInput where the folder has one
    already or cannot be written."""
    target = folder / FILE_NAME
    if target.exists():
        raise InvalidInput(f"{folder} already holds {FILE_NAME}; choose another folder, or delete it first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f".{FILE_NAME}.partial"
        with partial.open("w", encoding="utf-8") as file:
            for one in examples:
                names = _write_media(one, folder)
                line = example_to_json(one.example) | {"media": names[0] if len(names) == 1 else names}
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
        os.replace(partial, target)
    except OSError as error:
        raise InvalidInput(f"{folder} cannot be written: {error.strerror or error}") from error
    return target


def _write_media(one: Unposed, folder: Path) -> list[str]:
    stem, names = re.sub(r"[^\w.-]+", "-", one.name), []
    for number, file in enumerate(one.files, 1):
        content = file if isinstance(file, bytes) else file.read_bytes()
        place = f"-{number}" if len(one.files) > 1 else ""
        names.append(f"{stem}{place}{sniff(read_head(io.BytesIO(content))).extension}")
        (folder / names[-1]).write_bytes(content)
    return names
