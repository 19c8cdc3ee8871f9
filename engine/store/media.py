"""Media that the store knows: what a file is, by the SHA-256 of its bytes.

Invariant: one row for each hash; recording the same media again changes nothing but fills in what was unknown.
Not covered: the files themselves (`engine.media`).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from engine.errors import IntegrityError
from engine.store.absent import absent
from engine.store.connection import Connections
from engine.store.identity import now, shown_name
from engine.trace import Media

__all__ = ["MediaRecord", "MediaRecords"]


@dataclass(frozen=True, slots=True)
class MediaRecord:
    """A media with the name it came under; `byte_size` is None where only a trace has told of it."""

    media: Media
    name: str
    byte_size: int | None
    created_at: str


class MediaRecords:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def record(self, media: Media, name: str = "", byte_size: int | None = None) -> MediaRecord:
        """Records `media`; the first name stays. Raises IntegrityError where the same hash was another kind or size."""
        with self._connections.write() as db:
            db.conn.execute(
                "INSERT INTO media (sha256, kind, width, height, name, byte_size, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (sha256) DO UPDATE SET "
                "name = iif(name = '', excluded.name, name), byte_size = coalesce(byte_size, excluded.byte_size)",
                (media.sha256, media.kind, media.width, media.height, shown_name(name), byte_size, now()),
            )
            record = self.get(media.sha256)
            if record.media != media:
                known = record.media
                raise IntegrityError(
                    f"media {media.sha256} is recorded as {known.kind} of {known.width}x{known.height}, "
                    f"not as {media.kind} of {media.width}x{media.height}"
                )
            return record

    def get(self, sha256: str) -> MediaRecord:
        """Raises NotFound."""
        row = self._connections.row("SELECT * FROM media WHERE sha256 = ?", (sha256,))
        if row is None:
            raise absent(self._connections, "media", sha256)
        return _record(row)

    def name_of(self, sha256: str) -> str:
        """The name that it came under, "" where none is known."""
        row = self._connections.row("SELECT name FROM media WHERE sha256 = ?", (sha256,))
        return "" if row is None else row["name"]

    def list(self, limit: int = 100, offset: int = 0) -> list[MediaRecord]:
        """The media, newest first."""
        sql = "SELECT * FROM media ORDER BY created_at DESC, sha256 LIMIT ? OFFSET ?"
        return [_record(row) for row in self._connections.rows(sql, (limit, offset))]


def _record(row: sqlite3.Row) -> MediaRecord:
    media = Media(row["sha256"], row["kind"], row["width"], row["height"])
    return MediaRecord(media, row["name"], row["byte_size"], row["created_at"])
