"""Verification: everything that the store claims is derived again and compared.

Each problem is one sentence. Checked: SQLite's own integrity and references; every revision's canonical JSON, hash and
parent; every head, and every column that repeats what its head says; what the search index's filters look for; every
media file's SHA-256 and recorded size; every view of every revision, cut again from the original's pixels.

Not covered: whether a padding rule made a crop's box from an operation's (that is the protocol's); adapters' weights.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.errors import StudioError
from engine.operations import cut
from engine.store.connection import Connections
from engine.store.facets import FACETS
from engine.store.identity import canonical_json, revision_hash
from engine.store.revisions import head_columns
from engine.trace import Box, Media, View
from engine.trace_json import trace_from_json

if TYPE_CHECKING:
    from engine.media import LoadedMedia

__all__ = ["MediaFiles", "VerifyReport", "verify"]


class MediaFiles(Protocol):
    """What is needed of `engine.media.MediaFolder`."""

    def path(self, sha256: str) -> Path: ...

    def load(self, sha256: str) -> LoadedMedia: ...


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was checked, and one sentence for each problem."""

    problems: tuple[str, ...]
    traces: int
    revisions: int
    media: int
    views: int

    @property
    def is_sound(self) -> bool:
        return not self.problems


def verify(connections: Connections, media_files: MediaFiles | None) -> VerifyReport:
    """Checks the whole store; without `media_files` only what stands in the database."""
    problems: list[str] = []
    traces = revisions = media = views = 0
    try:
        problems += _file_problems(connections)
        traces, revisions = connections.rows("SELECT (SELECT count(*) FROM traces), (SELECT count(*) FROM revisions)")[
            0
        ]
        for look in (_index_problems, _revision_problems, _head_problems):
            problems += look(connections)
        if media_files is not None:
            for row in connections.rows("SELECT sha256, kind, width, height FROM media ORDER BY sha256"):
                media += 1
                problems += _media_problems(Media(*row), media_files)
            for sha256, group in groupby(_stored_views(connections), key=lambda view: view.sha256):
                wanted = list(group)
                views += len(wanted)
                problems += _view_problems(sha256, wanted, media_files)
    except sqlite3.DatabaseError as error:
        problems.append(f"SQLite cannot read the database file any further: {_reason(error)}.")
    return VerifyReport(tuple(problems), traces, revisions, media, views)


def _file_problems(connections: Connections) -> Iterator[str]:
    for row in connections.rows("PRAGMA integrity_check"):
        if row[0] != "ok":
            yield f"SQLite finds the database file damaged: {' '.join(row[0].split())}."
    for row in connections.rows("PRAGMA foreign_key_check"):
        yield f"Row {row['rowid']} of the table {row['table']} points at a row of {row['parent']} that is not there."


def _index_problems(connections: Connections) -> Iterator[str]:
    counted = {row["status"]: row["n"] for row in connections.rows("SELECT status, n FROM trace_counts WHERE n <> 0")}
    found = {row[0]: row[1] for row in connections.rows("SELECT status, count(*) FROM traces GROUP BY status")}
    if counted != found:
        yield f"The counts by status say {counted}, but the traces are {found}."
    missing = connections.rows(
        "SELECT (SELECT count(*) FROM traces t WHERE NOT EXISTS (SELECT 1 FROM trace_search_docsize d WHERE d.id = "
        "t.number)) + (SELECT count(*) FROM trace_search_docsize d WHERE NOT EXISTS (SELECT 1 FROM traces t WHERE "
        "t.number = d.id))"
    )[0][0]
    if missing:
        yield f"The search index and the table of traces differ by {missing} traces."
    regrouped = connections.rows("""SELECT count(*) FROM (
        SELECT example_key, n, operating, top FROM example_groups WHERE n > 0
        EXCEPT SELECT example_key, sum(n), sum(operating), max(n) FROM (
            SELECT example_key, count(*) AS n, sum(has_operation <> 0) AS operating FROM traces
            GROUP BY example_key, coalesce(answer, '')) GROUP BY example_key)""")[0][0]
    if regrouped:
        yield f"{regrouped} groups of attempts at one example do not count what the traces are."
    said = f"""SELECT t.id, coalesce(s.facets, ''), {FACETS.format(row="t")} FROM traces t
        JOIN trace_search s ON s.rowid = t.number JOIN revisions h ON h.id = t.head_id"""
    for trace_id, indexed, derived in connections.stream(said):
        if differing := set(indexed.split()) ^ set(derived.split()):
            words = ", ".join(sorted(differing))
            yield f"The search index says otherwise of the trace {trace_id} than its rows: {words}."


def _revision_problems(connections: Connections) -> Iterator[str]:
    # Each hash is derived from the parent's STORED hash: one changed revision is then one problem, not all after it.
    sql = """SELECT r.*, p.hash AS parent_hash, p.trace_id AS parent_trace_id, p.number AS parent_number
        FROM revisions r LEFT JOIN revisions p ON p.id = r.parent_id ORDER BY r.trace_id, r.number"""
    for row in connections.stream(sql):
        name = f"Revision {row['number']} of the trace {row['trace_id']}"
        if row["parent_id"] is None and row["number"] != 1:
            yield f"{name} has no parent, though it is not the first."
        if row["parent_id"] is not None and row["parent_trace_id"] != row["trace_id"]:
            yield f"{name} has the parent {row['parent_id']}, which is no revision of that trace."
        elif row["parent_id"] is not None and row["parent_number"] >= row["number"]:
            yield f"{name} has a parent that came after it."
        try:
            data = json.loads(row["trace_json"])
            trace_from_json(data)
            is_canonical = canonical_json(data) == row["trace_json"]
        except (StudioError, ValueError) as error:
            yield f"{name} cannot be read: {_reason(error)}."
            continue
        if not is_canonical:
            yield f"{name} is not stored in canonical form, so its text was changed."
        elif revision_hash(row["parent_hash"], row["trace_json"]) != row["hash"]:
            yield f"{name} does not match its hash: its content, its parent or the hash was changed."


def _head_problems(connections: Connections) -> Iterator[str]:
    sql = """SELECT t.*, r.trace_json, r.trace_id AS head_trace_id, r.number AS head_number
        FROM traces t LEFT JOIN revisions r ON r.id = t.head_id ORDER BY t.number"""
    for row in connections.stream(sql):
        name = f"The trace {row['id']}"
        if row["head_trace_id"] != row["id"]:
            yield f"{name} has the head {row['head_id']}, which is no revision of it."
            continue
        try:
            trace, _ = trace_from_json(json.loads(row["trace_json"]))
        except (StudioError, ValueError):
            continue  # already reported with the revision
        for column, value in head_columns(trace, row["evidence"]).items():
            if row[column] != value:
                yield f"{name} says {column} = {row[column]!r}, but its head says {value!r}."


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


def _media_problems(media: Media, media_files: MediaFiles) -> Iterator[str]:
    try:
        digest = hashlib.sha256()
        with media_files.path(media.sha256).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
        if digest.hexdigest() != media.sha256:
            yield f"The file of media {media.sha256} has changed: its SHA-256 is now {digest.hexdigest()}."
            return
        loaded = media_files.load(media.sha256).media
    except (StudioError, OSError) as error:
        yield f"The file of media {media.sha256} cannot be read: {_reason(error)}."
        return
    if loaded != media:
        yield (
            f"The media {media.sha256} is recorded as {media.kind} of {media.width}x{media.height}, "
            f"but its file is {loaded.kind} of {loaded.width}x{loaded.height}."
        )


def _view_problems(sha256: str, views: list[View], media_files: MediaFiles) -> Iterator[str]:
    try:
        loaded = media_files.load(sha256)
    except (StudioError, OSError) as error:
        yield f"{len(views)} views of media {sha256} cannot be cut again: {_reason(error)}."
        return
    for view in views:
        where = f"the view {view.box.as_list()}{'' if view.frame is None else f' of frame {view.frame}'} of {sha256}"
        try:
            picture = cut(view, {sha256: loaded})
        except (StudioError, LookupError, ValueError, TypeError) as error:
            yield f"A crop cannot be cut again, {where}: {_reason(error)}."
            continue
        left, top, right, bottom = view.box.to_pixels((loaded.media.width, loaded.media.height))
        if picture.size != (right - left, bottom - top):
            yield f"A crop came out as {picture.size}, not {(right - left, bottom - top)}, {where}."


def _reason(error: Exception) -> str:
    return " ".join(str(error).split()).rstrip(".")
