"""What is derived from the records, so that the queue is quick: columns that repeat what a trace's steps say, groups of
attempts at one example, and the search index with its facets.

The idea: every filter is a word in the full-text index's column "facets", written by triggers from the traces row and
what belongs to it, so that any mix of filters and search is one intersection of sorted lists. The values of names are
hexadecimal digits, so that each is one word. Two orders are words too:

- suggested, "teach0" to "teach9", what teaches most first: a trace that is decided has level 0; otherwise 1, and 2 or 4
  more where sampled rollouts of the same question and media disagree (the most frequent answer has at least half of
  them, or less), 3 more for a wrong answer, 2 for an unscored or partly right one, and 1 more for an operation error, a
  pretended operation, an ignored error, or a policy that was not sure (one that told no confidence is not doubted);
- last changed: "untouched", or the hour of the last touch: "u26112514" was reviewed, edited or decided last on
  2026-11-25 between 14 and 15 o'clock, and with "u261125" begin the words of that day (beginnings of 7 characters have
  an index of their own).

Confidence is the geometric mean of the probabilities that the policy gave to the tokens it generated,
exp(mean log p), in (0, 1]; of the whole trace as it was first recorded, whatever people change later.

Invariant: what is derived follows the definitions of this file. The store keeps their fingerprint; where it differs,
after an update or after a threshold was changed, `derive` builds everything again, once, when the store is opened.
Not covered: the records themselves (`engine.store.schema`), asking (`engine.store.queue`).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence

from engine.errors import StudioError
from engine.store.connection import DAMAGED, Connections, run_script
from engine.store.revisions import head_columns
from engine.thresholds import HELD_SHARE, RAPR_MOSTLY_FROM, RAPR_THRESHOLD, UNSURE_BELOW
from engine.trace_json import trace_from_json

__all__ = [
    "DROP_TRIGGERS",
    "FACETS",
    "FACTS_VERSION",
    "REBUILD",
    "TABLES",
    "TRIGGERS",
    "derive",
    "derive_facts_of",
    "touched_in",
]

FACTS_VERSION = 3
"""Goes up by one where `engine.store.revisions.head_columns` finds something else in the same trace than before."""

_BATCH = 1_000

TABLES = f"""
    DROP TABLE IF EXISTS trace_search;
    DROP TABLE IF EXISTS example_groups;
    DROP TABLE IF EXISTS example_answers;
    CREATE VIRTUAL TABLE trace_search USING fts5 (
        question, thoughts, answer, facets, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7 8'
    );
    CREATE TABLE example_answers (
        example_key TEXT NOT NULL,
        answer TEXT NOT NULL,
        n INTEGER NOT NULL,
        PRIMARY KEY (example_key, answer)
    ) WITHOUT ROWID;
    CREATE TABLE example_groups (
        example_key TEXT PRIMARY KEY,
        n INTEGER NOT NULL,
        operating INTEGER NOT NULL,
        top INTEGER NOT NULL,
        rapr_level TEXT GENERATED ALWAYS AS (CASE WHEN operating = 0 THEN 'never' WHEN operating = n THEN 'always'
            WHEN operating < {RAPR_THRESHOLD} * n THEN 'seldom' WHEN operating < {RAPR_MOSTLY_FROM} * n THEN 'often'
            ELSE 'mostly' END) STORED,
        disagreement INTEGER GENERATED ALWAYS AS (CASE WHEN top = n THEN 0 WHEN 2 * top >= n THEN 1 ELSE 2 END) STORED
    ) WITHOUT ROWID;
"""
"""Empties what is derived. `top` counts the most frequent answer of a group."""

FACETS = f"""'status' || lower(hex({{row}}.status))
    || ' policy' || lower(hex({{row}}.policy))
    || ' source' || lower(hex(substr({{row}}.source, 1, instr({{row}}.source || '/', '/') - 1)))
    || ' kind' || {{row}}.media_kind
    || ' stop' || lower(hex({{row}}.stop_reason))
    || ' operation' || ({{row}}.has_operation <> 0)
    || ' error' || ({{row}}.operation_errors > 0)
    || ' outcome' || CASE WHEN {{row}}.score IS NULL THEN 'unscored'
                          WHEN {{row}}.score >= 1 THEN 'right' WHEN {{row}}.score <= 0 THEN 'wrong'
                          ELSE 'partial' END
    || ' trajectory' || lower(hex({{row}}.trajectory))
    || ' pretended' || {{row}}.is_pretending
    || ' ignored' || {{row}}.ignores_error
    || ' evidence' || CASE WHEN {{row}}.evidence_share IS NULL THEN 'unknown'
                           WHEN {{row}}.evidence_share >= {HELD_SHARE} THEN 'held' ELSE 'missed' END
    || ' author' || lower(hex({{row}}.author)) || iif({{row}}.is_private, '', ' shared')
    || ' edited' || (SELECT r.parent_id IS NOT NULL FROM revisions r WHERE r.id = {{row}}.head_id)
    || coalesce((SELECT ' rapr' || g.rapr_level FROM example_groups g
                 WHERE g.example_key = {{row}}.example_key AND g.n > 1), '')
    || ' teach' || iif({{row}}.status IN ('accepted', 'rejected'), 0, 1
        + coalesce((SELECT 2 * g.disagreement FROM example_groups g WHERE g.example_key = {{row}}.example_key), 0)
        + CASE WHEN {{row}}.score IS NULL THEN 2 WHEN {{row}}.score >= 1 THEN 0 WHEN {{row}}.score <= 0 THEN 3
               ELSE 2 END
        + ({{row}}.operation_errors > 0 OR {{row}}.is_pretending OR {{row}}.ignores_error
           OR coalesce({{row}}.confidence < {UNSURE_BELOW}, 0)))
    || coalesce((SELECT group_concat(' tag' || lower(hex(x.tag)), '') FROM trace_tags x
                 WHERE x.trace_id = {{row}}.id), '')
    || coalesce((SELECT group_concat(DISTINCT ' reviewer' || lower(hex(x.reviewer))) FROM reviews x
                 WHERE x.trace_id = {{row}}.id AND x.undone_at IS NULL), '')
    || coalesce((SELECT group_concat(' assigned' || lower(hex(x.person)), '') FROM assignments x
                 WHERE x.trace_id = {{row}}.id), '')
    || coalesce((SELECT group_concat(' drafted' || lower(hex(x.author)), '') FROM drafts x
                 WHERE x.trace_id = {{row}}.id AND x.is_changed), '')
    || coalesce((SELECT ' round' || x.state FROM review_rounds x WHERE x.trace_id = {{row}}.id), '')
    || coalesce((SELECT group_concat(DISTINCT ' blanking' || iif(x.is_changed, 'changes', 'keeps'))
                 FROM blank_checks x WHERE x.revision_id = {{row}}.head_id), '')
    || iif({{row}}.updated_at = {{row}}.created_at, ' untouched', ' u' || substr({{row}}.updated_at, 3, 2)
        || substr({{row}}.updated_at, 6, 2) || substr({{row}}.updated_at, 9, 2) || substr({{row}}.updated_at, 12, 2))"""
"""The words of the index's column "facets", for the traces row called {row}."""

_COLUMNS = f"""{{row}}.question, (SELECT group_concat(json_extract(s.value, '$.thought'), char(10))
    FROM revisions r, json_each(r.trace_json, '$.steps') s WHERE r.id = {{row}}.head_id), {{row}}.answer, {FACETS}"""

REBUILD = f"""
    DELETE FROM example_answers;
    DELETE FROM example_groups;
    INSERT INTO example_answers
        SELECT example_key, coalesce(answer, ''), count(*) FROM traces GROUP BY 1, 2;
    INSERT INTO example_groups (example_key, n, operating, top)
        SELECT t.example_key, count(*), sum(t.has_operation <> 0),
            (SELECT max(a.n) FROM example_answers a WHERE a.example_key = t.example_key)
        FROM traces t GROUP BY 1;
    DELETE FROM trace_search;
    INSERT INTO trace_search (rowid, question, thoughts, answer, facets)
        SELECT t.number, {_COLUMNS.format(row="t")} FROM traces t ORDER BY t.number;
"""
"""Fills groups and index from the traces; without triggers, else the traces are touched one by one."""

_REGROUP = """
    INSERT INTO example_answers VALUES ({row}.example_key, coalesce({row}.answer, ''), {by})
        ON CONFLICT (example_key, answer) DO UPDATE SET n = n + {by};
    INSERT INTO example_groups (example_key, n, operating, top) VALUES ({row}.example_key, 0, 0, 0)
        ON CONFLICT (example_key) DO NOTHING;
    UPDATE example_groups SET n = n + {by}, operating = operating + {by} * ({row}.has_operation <> 0),
        top = coalesce((SELECT max(a.n) FROM example_answers a WHERE a.example_key = {row}.example_key), 0)
        WHERE example_key = {row}.example_key;
"""

_OF_TRACES = {
    "traces_found_in": f"""AFTER INSERT ON traces
        BEGIN
            {_REGROUP.format(row="new", by="1")}
            INSERT INTO trace_search (rowid, question, thoughts, answer, facets)
                VALUES (new.number, {_COLUMNS.format(row="new")});
        END""",
    "traces_found_out": f"""AFTER DELETE ON traces
        BEGIN
            {_REGROUP.format(row="old", by="-1")}
            DELETE FROM trace_search WHERE rowid = old.number;
        END""",
    "traces_found_over": f"""AFTER UPDATE OF head_id, status, question, answer, policy, source, media_kind, stop_reason,
            has_operation, operation_errors, score, trajectory, is_pretending, ignores_error, evidence_share,
            confidence, updated_at, author, is_private ON traces
        BEGIN
            UPDATE trace_search SET (question, thoughts, answer, facets) = (SELECT {_COLUMNS.format(row="new")})
                WHERE rowid = new.number;
        END""",
    "traces_grouped_over": f"""AFTER UPDATE OF answer, has_operation, example_key ON traces
            WHEN old.answer IS NOT new.answer OR old.has_operation <> new.has_operation
                OR old.example_key <> new.example_key
        BEGIN
            {_REGROUP.format(row="old", by="-1")}
            {_REGROUP.format(row="new", by="1")}
        END""",
}

_TOUCHING = {
    "groups_levelled": (
        "UPDATE ON example_groups WHEN old.rapr_level <> new.rapr_level OR old.disagreement <> new.disagreement "
        "OR min(old.n, new.n) = 1",
        "example_key = new.example_key",
    ),
    "tags_found_in": ("INSERT ON trace_tags", "id = new.trace_id"),
    "tags_found_out": ("DELETE ON trace_tags", "id = old.trace_id"),
    "assignments_found_in": ("INSERT ON assignments", "id = new.trace_id"),
    "assignments_found_out": ("DELETE ON assignments", "id = old.trace_id"),
    "drafts_found_in": ("INSERT ON drafts WHEN new.is_changed", "id = new.trace_id"),
    "drafts_found_over": ("UPDATE ON drafts WHEN old.is_changed <> new.is_changed", "id = new.trace_id"),
    "drafts_found_out": ("DELETE ON drafts WHEN old.is_changed", "id = old.trace_id"),
    "rounds_found_in": ("INSERT ON review_rounds", "id = new.trace_id"),
    "rounds_found_over": ("UPDATE ON review_rounds", "id = new.trace_id"),
    "rounds_found_out": ("DELETE ON review_rounds", "id = old.trace_id"),
    "blank_checks_found_in": (
        "INSERT ON blank_checks",
        "id = (SELECT trace_id FROM revisions WHERE id = new.revision_id)",
    ),
}
"""What else changes a trace's words: the trigger, when it acts, and which traces it makes write their words again."""

TRIGGERS = "".join(
    [f"CREATE TRIGGER {name} {body};\n" for name, body in _OF_TRACES.items()]
    + [
        f"CREATE TRIGGER {name} AFTER {when} BEGIN UPDATE traces SET status = status WHERE {which}; END;\n"
        for name, (when, which) in _TOUCHING.items()
    ]
)
"""Keeps groups and index with every later change."""

DROP_TRIGGERS = "".join(f"DROP TRIGGER IF EXISTS {name};\n" for name in (*_OF_TRACES, *_TOUCHING))


def derive(connections: Connections) -> list[str]:
    """Derives again what follows from other definitions than today's, and returns what that was: "facts", "index".

    Several processes may call this at once. Facts of a revision that cannot be read stay what they are (`verify` names
    it). Raises Unavailable where the database is damaged.
    """
    wanted = {"facts": str(FACTS_VERSION), "index": _fingerprint(TABLES + REBUILD + TRIGGERS)}
    try:
        return _derive(connections, wanted)
    except DAMAGED as error:
        raise connections.unusable(error) from error


def _derive(connections: Connections, wanted: dict[str, str]) -> list[str]:
    if not _stale(connections, wanted):
        return []
    with connections.write() as db:
        stale = _stale(connections, wanted)
        if stale:
            run_script(db, DROP_TRIGGERS)
            if "facts" in stale:
                _derive_facts(connections)
            run_script(db, TABLES + REBUILD + TRIGGERS)
            db.conn.executemany("INSERT OR REPLACE INTO derivations VALUES (?, ?)", list(wanted.items()))
        return stale


def touched_in(moment: str) -> str:
    """The expression for traces that were last touched in an hour ("2026-11-25T14") or on a day ("2026-11-25")."""
    digits = moment[2:4] + moment[5:7] + moment[8:10] + moment[11:13]
    return f'facets : "u{digits}"{"" if len(digits) == 8 else " *"}'


def _stale(connections: Connections, wanted: dict[str, str]) -> list[str]:
    held = {row["name"]: row["fingerprint"] for row in connections.rows("SELECT name, fingerprint FROM derivations")}
    return [name for name, fingerprint in wanted.items() if held.get(name) != fingerprint]


def _fingerprint(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _derive_facts(connections: Connections) -> None:
    number = 0
    while batch := connections.rows(f"{_HEADS} WHERE t.number > ? ORDER BY t.number LIMIT ?", (number, _BATCH)):
        number = batch[-1]["number"]
        _set_facts(connections, batch)


def derive_facts_of(connections: Connections, trace_ids: Sequence[str]) -> None:
    """The facts of traces that were kept elsewhere while definitions changed. Call it inside `write()`."""
    wanted = json.dumps(list(trace_ids))
    _set_facts(connections, connections.rows(f"{_HEADS} WHERE t.id IN (SELECT value FROM json_each(?))", (wanted,)))


_HEADS = "SELECT t.*, r.trace_json FROM traces t JOIN revisions r ON r.id = t.head_id"


def _set_facts(connections: Connections, rows: Sequence[sqlite3.Row]) -> None:
    for row in rows:
        try:
            facts = head_columns(trace_from_json(json.loads(row["trace_json"]))[0], row["evidence"], row["options"])
        except (StudioError, ValueError):
            continue
        changed = {name: value for name, value in facts.items() if row[name] != value}
        if changed:
            assignments = ", ".join(f"{name} = :{name}" for name in changed)
            connections.database().conn.execute(
                f"UPDATE traces SET {assignments} WHERE number = :number", changed | {"number": row["number"]}
            )
