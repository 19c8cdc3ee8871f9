"""Verification: everything that the store claims is derived again and compared.

Each problem is one sentence. Checked: SQLite's own integrity and references; every revision's canonical JSON, hash and
parent, in the bin too; the chains of tombstones; every head, and every column that repeats what its head says; what the
search index's filters look for; every media file's SHA-256 and recorded size; every view of every revision, cut again from
the original's pixels; whether everything that was deleted for good is erased.

Invariant: whatever the database or a file holds, it ends with a report: damaged data raises what nobody can list, so each
check is ended by any exception, and says so.

Not covered: whether a padding rule made a crop's box from an operation's (that is the protocol's); files that nothing refers
to (`engine.upkeep`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from engine.store.connection import DAMAGED, Connections
from engine.store.facets import FACETS
from engine.store.identity import canonical_json, revision_hash
from engine.store.revisions import head_columns
from engine.store.verify_files import FileProblems, MediaFiles, reason_of
from engine.trace_json import trace_from_json

__all__ = ["MediaFiles", "VerifyReport", "verify"]


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What was checked, and one sentence for each problem. `is_damaged` says that SQLite finds its own file damaged;
    `is_readable` is False then, and where a record names another that is not there."""

    problems: tuple[str, ...]
    traces: int
    revisions: int
    media: int
    views: int
    is_readable: bool = True
    is_damaged: bool = False

    @property
    def is_sound(self) -> bool:
        return not self.problems


def verify(connections: Connections, media_files: MediaFiles | None) -> VerifyReport:
    """Checks the whole store; without `media_files` only what stands in the database."""
    damage, references = _found(_file_damage(connections)), _found(_reference_problems(connections))
    problems, is_readable = damage + references, not damage and not references
    for look in (
        _index_problems,
        _revision_problems,
        _head_problems,
        _bin_problems,
        _tombstone_problems,
        _erasure_problems,
    ):
        problems += _found(look(connections))
    files = None if media_files is None else FileProblems(connections, media_files)
    if files is not None:
        problems += _found(files.of_media()) + _found(files.of_views())
    try:
        counted = connections.row("SELECT (SELECT count(*) FROM traces), (SELECT count(*) FROM revisions)")
    except DAMAGED:
        counted, is_readable, damage = None, False, ["unreadable"]
    traces, revisions = counted or (0, 0)
    media, views = (files.media, files.views) if files is not None else (0, 0)
    return VerifyReport(tuple(problems), traces, revisions, media, views, is_readable, bool(damage))


def _found(looking: Iterator[str]) -> list[str]:
    """What a check finds, and where it had to end, that."""
    problems = []
    try:
        for problem in looking:
            problems.append(problem)
    except DAMAGED as error:
        problems.append(f"SQLite cannot read the database file any further: {reason_of(error)}.")
    except Exception as error:
        problems.append(f"A check had to end before it was through: {type(error).__name__}: {reason_of(error)}.")
    return problems


def _file_damage(connections: Connections) -> Iterator[str]:
    for row in connections.rows("PRAGMA integrity_check"):
        if row[0] != "ok":
            yield f"SQLite finds the database file damaged: {' '.join(row[0].split())}."


def _reference_problems(connections: Connections) -> Iterator[str]:
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
        except Exception as error:
            yield f"{name} cannot be read: {reason_of(error)}."
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
        except Exception:
            continue  # already reported with the revision
        try:
            derived = head_columns(trace, row["evidence"], row["options"])
        except Exception as error:
            yield f"{name} has evidence or options that cannot be read: {reason_of(error)}."
            continue
        for column, value in derived.items():
            if row[column] != value:
                yield f"{name} says {column} = {row[column]!r}, but its head says {value!r}."


def _bin_problems(connections: Connections) -> Iterator[str]:
    for row in connections.rows("SELECT number, of_table FROM bin_rows WHERE NOT json_valid(row)"):
        yield f"Row {row['number']} of the bin, one of {row['of_table']}, cannot be read."
    sql = """SELECT json_extract(b.row, '$.trace_id') AS trace_id, json_extract(b.row, '$.number') AS number,
            json_extract(b.row, '$.hash') AS hash, json_extract(b.row, '$.trace_json') AS trace_json,
            json_extract(b.row, '$.parent_id') AS parent_id, json_extract(p.row, '$.hash') AS parent_hash
        FROM bin_rows b LEFT JOIN bin_rows p ON p.of_table = 'revisions' AND p.act = 'taken'
            AND p.name = json_extract(b.row, '$.parent_id') AND json_valid(p.row)
        WHERE b.of_table = 'revisions' AND b.act = 'taken' AND json_valid(b.row) ORDER BY b.number"""
    for row in connections.stream(sql):
        name = f"Revision {row['number']} of the trace {row['trace_id']}, in the bin,"
        if row["parent_id"] is not None and row["parent_hash"] is None:
            yield f"{name} has the parent {row['parent_id']}, which is not there."
        elif revision_hash(row["parent_hash"], row["trace_json"]) != row["hash"]:
            yield f"{name} does not match its hash: its content, its parent or the hash was changed."


def _tombstone_problems(connections: Connections) -> Iterator[str]:
    sql = """SELECT t.*, (SELECT min(p.number) FROM revision_tombstones p WHERE p.trace_id = t.trace_id
            AND p.hash = t.parent_hash) AS parent_number,
        row_number() OVER (PARTITION BY t.trace_id ORDER BY t.number) AS place,
        EXISTS (SELECT 1 FROM revisions r WHERE r.id = t.id OR r.trace_id = t.trace_id) AS is_alive
        FROM revision_tombstones t ORDER BY t.trace_id, t.number"""
    for row in connections.stream(sql):
        name = f"The tombstone of revision {row['number']} of the trace {row['trace_id']}"
        if row["is_alive"]:
            yield f"{name} stands, but the trace does too."
        if row["place"] != row["number"]:
            yield f"{name} is number {row['place']} of those that are left: others are missing."
        if row["number"] == 1 and row["parent_hash"] is not None:
            yield f"{name} has a parent, though it is the first."
        elif row["number"] > 1 and (row["parent_number"] is None or row["parent_number"] >= row["number"]):
            yield f"{name} has a parent hash that no earlier one has."


def _erasure_problems(connections: Connections) -> Iterator[str]:
    for row in connections.rows("SELECT kind, name FROM erasures"):
        what = {
            "media": f"the files of media {row['name']}",
            "job": f"what job {row['name']} keeps of its traces",
            "database": "what the database file still holds",
        }[row["kind"]]
        yield f"The bin was emptied, but {what} is not erased yet: empty it again, or repair."
