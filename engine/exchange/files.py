"""What readers read: rows of JSON and of columns one by one, and the pictures that they name.

Invariants: a row that cannot be read is told with its place, and the next ones come all the same, where they can be found;
a name leads to a file in the folder of the rows or below it, or nowhere: never to an address, never out of the folder.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from engine.errors import InvalidInput, InvalidMedia
from engine.exchange.animated_png import animated_png
from engine.json_fields import seen
from engine.json_lists import Broken, items
from engine.media import LoadedMedia, MediaFolder, Sampling, load_media
from engine.trace import CLIP_FRAMES

__all__ = [
    "Kept",
    "Source",
    "Unreadable",
    "column_rows",
    "file_named",
    "json_rows",
    "load",
    "one_file",
    "picture",
    "still_clip",
]


@dataclass(frozen=True, slots=True)
class Kept:
    """A medium in the folder that another studio wrote, which knows its sampling."""

    folder: MediaFolder
    sha256: str


Source = Path | bytes | Kept
"""Where the bytes of a medium are."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that is no object, and why."""

    reason: str


def one_file(path: Path, name: str) -> Path:
    """The file of rows: `path`, or the one of that name in the folder `path`. Raises InvalidInput where there is none."""
    found = path / name if path.is_dir() else path
    if not found.is_file():
        raise InvalidInput(f"there is no file {found}")
    return found


# --- rows -----------------------------------------------------------------------------------------------------------


def json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any] | Unreadable]]:
    """(place, row) of a file that holds a JSON list, JSON Lines or one object. Only "\\n" ends a line: U+2028 is text."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
        start = file.read(4096)
        file.seek(0)
        if start.lstrip("\ufeff \t\r\n").startswith("["):
            for number, value in enumerate(items(file), 1):
                yield f"row {number}", _readable(value)
        elif path.suffix == ".json":
            yield "the file", _object(file.read())
        else:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield f"line {number}", _object(line)


def _object(text: str) -> dict[str, Any] | Unreadable:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return Unreadable("it is no UTF-8 text")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Unreadable(f"it is no JSON ({error})")
    return _readable(value)


def _readable(value: Any) -> dict[str, Any] | Unreadable:
    if isinstance(value, Broken):
        return Unreadable(value.problem)
    return value if isinstance(value, dict) else Unreadable(f"an object is expected, not {seen(value)}")


def column_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of a parquet file, a few at a time. Raises InvalidInput where it is none."""
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise InvalidInput(f"{path.name} is no parquet file that can be read: {error}") from error
    number = 0
    with file:
        for batch in file.iter_batches(batch_size=16):
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", row


# --- pictures -------------------------------------------------------------------------------------------------------


def file_named(folder: Path, name: object) -> Source:
    """The file of that name below `folder`, or the bytes of a `data:` address. Raises InvalidInput for anything else."""
    if not isinstance(name, str) or not name:
        raise InvalidInput(f"the name of a picture is expected, not {seen(name)}")
    if name.startswith("data:"):
        return _inline(name)
    if "://" in name and not name.startswith("file://"):
        raise InvalidInput(f"nothing is fetched from addresses: save {name[:120]!r} beside the file first")
    inside = folder.resolve()
    try:
        found = (inside / name.removeprefix("file://")).resolve()
        is_file = found.is_relative_to(inside) and found.is_file()
    except (OSError, ValueError):
        is_file = False
    if not is_file:
        raise InvalidInput(f"there is no file {name[:200]!r} in the folder of the rows")
    return found


def _inline(address: str) -> bytes:
    head, comma, body = address.partition(",")
    if not comma or not head.endswith(";base64"):
        raise InvalidInput(f"a picture in base64 is expected, not {address[:60]!r}")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(f"this is no base64: {error}") from None


def load(source: Source, sampling: Sampling | None) -> LoadedMedia:
    """The decoded medium. Raises InvalidMedia, NotFound, IntegrityError."""
    if isinstance(source, Kept):
        return source.folder.load(source.sha256)
    return load_media(source, sampling=sampling)


def picture(source: Source) -> Image.Image:
    """A still picture, upright and in RGB. Raises InvalidMedia."""
    loaded = load(source, "index")
    if loaded.media.kind != "image":
        raise InvalidMedia("a picture is expected, not a clip")
    return loaded.picture(None)


def still_clip(frames: list[Source]) -> bytes:
    """The sixteen frames of a clip as one file that loses nothing: an animated PNG, a second a frame. Raises InvalidInput
    for another number of frames, or frames of several sizes."""
    if len(frames) != CLIP_FRAMES:
        raise InvalidInput(f"a clip is shown as {CLIP_FRAMES} frames, not {len(frames)}")
    pictures = [picture(frame) for frame in frames]
    if len({one.size for one in pictures}) > 1:
        raise InvalidInput(f"the frames of a clip have one size, not {sorted({one.size for one in pictures})}")
    return animated_png(pictures)
