"""Verification of media files: every file is hashed, every crop of every revision is cut again.

Each problem is one sentence, and names the traces that need the file. Not covered: the database (`engine.store.verify`),
files that nothing refers to (`engine.upkeep`).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.errors import StudioError
from engine.operations import cut
from engine.store.connection import Connections
from engine.trace import Box, Media, View

if TYPE_CHECKING:
    from engine.media import LoadedMedia

__all__ = ["FileProblems", "MediaFiles", "reason_of"]

_NAMED = 5


class MediaFiles(Protocol):
    """What is needed of `engine.media.MediaFolder`."""

    def path(self, sha256: str) -> Path: ...

    def load(self, sha256: str) -> LoadedMedia: ...


class FileProblems:
    """`media` and `views` count what was looked at so far."""

    def __init__(self, connections: Connections, media_files: MediaFiles) -> None:
        self._connections = connections
        self._media_files = media_files
        self.media = 0
        self.views = 0

    def of_media(self) -> Iterator[str]:
        """Where a recorded medium and its file differ."""
        for row in self._connections.rows("SELECT sha256, kind, width, height FROM media ORDER BY sha256"):
            self.media += 1
            try:
                media = Media(*row)
            except (StudioError, ValueError, TypeError) as error:
                yield f"The record of media {row['sha256']} cannot be read: {reason_of(error)}."
                continue
            yield from _media_problems(self._connections, media, self._media_files)

    def of_views(self) -> Iterator[str]:
        """What cannot be cut again."""
        for sha256, group in groupby(_stored_views(self._connections), key=lambda view: view.sha256):
            wanted = list(group)
            self.views += len(wanted)
            yield from _view_problems(sha256, wanted, self._media_files)


def _stored_views(connections: Connections) -> Iterator[View]:
    sql = """SELECT DISTINCT json_extract(v.value, '$.sha256') AS sha256, json_extract(v.value, '$.frame') AS frame,
            json_extract(v.value, '$.box') AS box
        FROM revisions r, json_each(r.trace_json, '$.views') v WHERE json_valid(r.trace_json) ORDER BY 1, 2, 3"""
    try:
        for row in connections.stream(sql):
            try:
                yield View(1, row["sha256"], row["frame"], Box(*json.loads(row["box"])))
            except (StudioError, ValueError, TypeError):
                continue  # already reported with the revision
    except sqlite3.OperationalError:
        return  # JSON that SQLite cannot read is already reported with the revision


def _media_problems(connections: Connections, media: Media, media_files: MediaFiles) -> Iterator[str]:
    try:
        digest = hashlib.sha256()
        with media_files.path(media.sha256).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != media.sha256:
            changed = f"The file of media {media.sha256} has changed: its SHA-256 is now {digest.hexdigest()}."
            yield f"{changed} {_needed_by(connections, media.sha256)}"
            return
        loaded = media_files.load(media.sha256).media
    except Exception as error:
        unread = f"The file of media {media.sha256} cannot be read: {reason_of(error)}."
        yield f"{unread} {_needed_by(connections, media.sha256)}"
        return
    if loaded != media:
        yield (
            f"The media {media.sha256} is recorded as {media.kind} of {media.width}x{media.height}, "
            f"but its file is {loaded.kind} of {loaded.width}x{loaded.height}."
        )


def _needed_by(connections: Connections, sha256: str) -> str:
    """Which traces a medium is needed for, as a sentence; a few of them by number."""
    sql = "SELECT t.number FROM trace_media m JOIN traces t ON t.id = m.trace_id WHERE m.sha256 = ? ORDER BY t.number"
    numbers = [row["number"] for row in connections.rows(sql, (sha256,))]
    if not numbers:
        return "No trace needs it."
    named = ", ".join(f"#{number}" for number in numbers[:_NAMED])
    more = f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else ""
    return f"It is needed by {'trace' if len(numbers) == 1 else 'traces'} {named}{more}."


def _view_problems(sha256: str, views: list[View], media_files: MediaFiles) -> Iterator[str]:
    try:
        loaded = media_files.load(sha256)
    except Exception as error:
        yield f"{len(views)} views of media {sha256} cannot be cut again: {reason_of(error)}."
        return
    for view in views:
        where = f"the view {view.box.as_list()}{'' if view.frame is None else f' of frame {view.frame}'} of {sha256}"
        try:
            picture = cut(view, {sha256: loaded})
        except Exception as error:
            yield f"A crop cannot be cut again, {where}: {reason_of(error)}."
            continue
        left, top, right, bottom = view.box.to_pixels((loaded.media.width, loaded.media.height))
        if picture.size != (right - left, bottom - top):
            yield f"A crop came out as {picture.size}, not {(right - left, bottom - top)}, {where}."


def reason_of(error: Exception) -> str:
    """What an exception says, on one line, without a full stop."""
    return " ".join(str(error).split()).rstrip(".")
