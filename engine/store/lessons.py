"""What fine-tuning would learn from: the accepted heads, counted from an index.

The idea: a page asks this again and again while people review. The partial index `traces_accepted` holds one short entry
for each accepted trace, with all that is counted, so no trace is read. Only the heads that are no plain lessons
(`engine.lessons`) are told one by one; they are few, and somebody has to judge them by their protocol. Equal attempts count
once.

Not covered: the heads themselves (`engine.store.reviews.Reviews.accepted`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from engine.errors import NotFound
from engine.lessons import lesson_key
from engine.store.connection import Connections
from engine.store.revisions import Revision

__all__ = ["DoubtfulLesson", "LessonCounts", "Lessons"]

_PLAIN = """SELECT count(*) AS total, total(media_kind = 'video') AS clips, total(has_operation <> 0) AS operating,
    total(is_corrected) AS corrected FROM (
        SELECT media_kind, has_operation, max(is_corrected) AS is_corrected
        FROM traces INDEXED BY traces_accepted WHERE status = 'accepted' AND is_plain_lesson = 1 GROUP BY lesson_key)"""
_DOUBTFUL = """SELECT id, min(number) AS number, head_id, media_kind = 'video' AS is_clip, has_operation <> 0 AS has_operation,
    is_corrected FROM traces INDEXED BY traces_accepted WHERE status = 'accepted' AND is_plain_lesson = 0
    GROUP BY lesson_key ORDER BY number"""

_MEDIA = """SELECT min(t.head_id) AS head_id, group_concat(DISTINCT m.sha256) AS media FROM traces t
    JOIN trace_media m ON m.trace_id = t.id WHERE t.status = 'accepted' GROUP BY t.lesson_key"""


@dataclass(frozen=True, slots=True)
class LessonCounts:
    """Of `total` traces: about clips, with an operation, and corrected by somebody after they were recorded."""

    total: int = 0
    clips: int = 0
    operating: int = 0
    corrected: int = 0

    def __add__(self, other: LessonCounts) -> LessonCounts:
        return LessonCounts(
            self.total + other.total,
            self.clips + other.clips,
            self.operating + other.operating,
            self.corrected + other.corrected,
        )


@dataclass(frozen=True, slots=True)
class DoubtfulLesson:
    """An accepted trace that cannot be told to be a lesson without its protocol; `counts` is what it adds if it is one."""

    trace_id: str
    number: int
    head_id: str
    counts: LessonCounts


class Lessons:
    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def plain(self) -> LessonCounts:
        """The accepted heads that are plain lessons, equal ones once."""
        row = self._connections.row(_PLAIN)
        assert row is not None  # an aggregate always has a row
        return LessonCounts(*map(int, row))

    def doubtful(self) -> list[DoubtfulLesson]:
        """The other accepted heads, of equal ones the first, in the order their traces were recorded."""
        return [
            DoubtfulLesson(
                row["id"],
                row["number"],
                row["head_id"],
                LessonCounts(1, row["is_clip"], row["has_operation"], row["is_corrected"]),
            )
            for row in self._connections.rows(_DOUBTFUL)
        ]

    def media(self) -> list[tuple[str, frozenset[str]]]:
        """Of each accepted lesson the id of a head, and the sha256 of its media; equal ones once. Reads every accepted
        trace's row."""
        return [(row["head_id"], frozenset(row["media"].split(","))) for row in self._connections.rows(_MEDIA)]

    def without_gold(self) -> int:
        """How many accepted lessons have no gold answer, equal ones once. Reads every accepted trace's row."""
        row = self._connections.row(
            "SELECT count(DISTINCT lesson_key) FROM traces WHERE status = 'accepted' AND gold IS NULL"
        )
        return 0 if row is None else int(row[0])

    def key_of(self, revision: Revision) -> int:
        """What equal revisions, of whichever traces, share (`engine.lessons.lesson_key`). Raises NotFound."""
        row = self._connections.row("SELECT options FROM traces WHERE id = ?", (revision.trace_id,))
        if row is None:
            raise NotFound(f"there is no trace {revision.trace_id!r} in the store")
        return lesson_key(revision.trace, json.loads(row["options"]))

    def last_change(self) -> str | None:
        """When any trace was last touched: where it is as before, so are the lessons."""
        row = self._connections.row("SELECT max(updated_at) FROM traces")
        return None if row is None else row[0]
