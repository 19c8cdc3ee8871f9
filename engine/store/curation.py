"""The schema of the workbench: drafts, reservations, assignments, tags, rounds of review, preferences, and what the
queue filters by beside what it already could.

The idea is that of migration m007: every filter is a word in the full-text index, written by triggers, so that any mix
of filters and search is one intersection of sorted lists. The suggested order is such a word too ("teach0" to "teach9"):
a page walks the levels from the top and stops when it is full.

What teaches most: a trace that is decided has level 0; otherwise 1, and 2 or 4 more where sampled rollouts of the same
question and media disagree (the most frequent answer has at least half of them, or less), 3 more for a wrong answer, 2
for an unscored or partly right one, and 1 more for an operation error, a pretended operation or an ignored error.
"""

from __future__ import annotations

import json

from sqlite_utils import Database

from engine.store.migrations import schema
from engine.store.revisions import example_key, faithfulness_columns
from engine.trace import trace_from_json

__all__ = ["FACETS", "RAPR_LEVELS", "rebuild", "triggers"]

RAPR_LEVELS = ("never", "seldom", "often", "mostly", "always")
"""How often the rollouts of a group operate: 0, below 0.3 (the paper's threshold), below 0.7, below 1, 1."""

FACETS = """'status' || lower(hex({row}.status))
    || ' policy' || lower(hex({row}.policy))
    || ' source' || lower(hex(substr({row}.source, 1, instr({row}.source || '/', '/') - 1)))
    || ' kind' || {row}.media_kind
    || ' stop' || lower(hex({row}.stop_reason))
    || ' operation' || ({row}.has_operation <> 0)
    || ' error' || ({row}.operation_errors > 0)
    || ' outcome' || CASE WHEN {row}.score IS NULL THEN 'unscored'
                          WHEN {row}.score >= 1 THEN 'right' WHEN {row}.score <= 0 THEN 'wrong'
                          ELSE 'partial' END
    || ' trajectory' || lower(hex({row}.trajectory))
    || ' pretended' || {row}.is_pretending
    || ' ignored' || {row}.ignores_error
    || ' evidence' || CASE WHEN {row}.evidence_share IS NULL THEN 'unknown'
                           WHEN {row}.evidence_share >= 0.9 THEN 'held' ELSE 'missed' END
    || ' edited' || (SELECT r.parent_id IS NOT NULL FROM revisions r WHERE r.id = {row}.head_id)
    || coalesce((SELECT ' rapr' || g.rapr_level FROM example_groups g
                 WHERE g.example_key = {row}.example_key AND g.n > 1), '')
    || ' teach' || iif({row}.status IN ('accepted', 'rejected'), 0, 1
        + coalesce((SELECT 2 * g.disagreement FROM example_groups g WHERE g.example_key = {row}.example_key), 0)
        + CASE WHEN {row}.score IS NULL THEN 2 WHEN {row}.score >= 1 THEN 0 WHEN {row}.score <= 0 THEN 3 ELSE 2 END
        + ({row}.operation_errors > 0 OR {row}.is_pretending OR {row}.ignores_error))
    || coalesce((SELECT group_concat(' tag' || lower(hex(x.tag)), '') FROM trace_tags x
                 WHERE x.trace_id = {row}.id), '')
    || coalesce((SELECT group_concat(DISTINCT ' reviewer' || lower(hex(x.reviewer))) FROM reviews x
                 WHERE x.trace_id = {row}.id AND x.undone_at IS NULL), '')
    || coalesce((SELECT group_concat(' assigned' || lower(hex(x.person)), '') FROM assignments x
                 WHERE x.trace_id = {row}.id), '')
    || coalesce((SELECT ' round' || x.state FROM review_rounds x WHERE x.trace_id = {row}.id), '')
    || coalesce((SELECT group_concat(DISTINCT ' blanking' || iif(x.is_changed, 'changes', 'keeps')) FROM blank_checks x
                 WHERE x.revision_id = {row}.head_id), '')"""
"""The words of the index's column "facets" up to m012, for the traces row called {row}; since then they are those of
`engine.store.facets`."""

_THOUGHTS = """(SELECT group_concat(json_extract(s.value, '$.thought'), char(10))
    FROM revisions r, json_each(r.trace_json, '$.steps') s WHERE r.id = {row}.head_id)"""

_REGROUP = """
    INSERT INTO example_answers VALUES ({row}.example_key, coalesce({row}.answer, ''), {by})
        ON CONFLICT (example_key, answer) DO UPDATE SET n = n + {by};
    INSERT INTO example_groups (example_key, n, operating, top) VALUES ({row}.example_key, 0, 0, 0)
        ON CONFLICT (example_key) DO NOTHING;
    UPDATE example_groups SET n = n + {by}, operating = operating + {by} * ({row}.has_operation <> 0),
        top = coalesce((SELECT max(a.n) FROM example_answers a WHERE a.example_key = {row}.example_key), 0)
        WHERE example_key = {row}.example_key;
"""


def triggers(facets: str, watched: str = "") -> str:
    """SQL that makes the triggers which keep groups and index; `watched` are further columns that `facets` reads."""
    columns = _columns(facets)
    return f"""
    CREATE TRIGGER traces_found_in AFTER INSERT ON traces
    BEGIN
        {_REGROUP.format(row="new", by="1")}
        INSERT INTO trace_search (rowid, question, thoughts, answer, facets)
            VALUES (new.number, {columns.format(row="new")});
    END;
    CREATE TRIGGER traces_found_out AFTER DELETE ON traces
    BEGIN
        {_REGROUP.format(row="old", by="-1")}
        DELETE FROM trace_search WHERE rowid = old.number;
    END;
    CREATE TRIGGER traces_found_over AFTER UPDATE OF head_id, status, question, answer, policy, source, media_kind,
        stop_reason, has_operation, operation_errors, score, trajectory, is_pretending, ignores_error, evidence_share
        {watched} ON traces
    BEGIN
        UPDATE trace_search SET (question, thoughts, answer, facets) = (SELECT {columns.format(row="new")})
            WHERE rowid = new.number;
    END;
    CREATE TRIGGER traces_grouped_over AFTER UPDATE OF answer, has_operation, example_key ON traces
        WHEN old.answer IS NOT new.answer OR old.has_operation <> new.has_operation
            OR old.example_key <> new.example_key
    BEGIN
        {_REGROUP.format(row="old", by="-1")}
        {_REGROUP.format(row="new", by="1")}
    END;
"""


def rebuild(facets: str) -> str:
    """SQL that derives the groups and the whole index again."""
    return f"""
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
        SELECT t.number, {_columns(facets).format(row="t")} FROM traces t ORDER BY t.number;
"""


def _columns(facets: str) -> str:
    return f"{{row}}.question, {_THOUGHTS}, {{row}}.answer, {facets}"


@schema()
def m009_curation_tables(db: Database) -> None:
    db.executescript("""
        ALTER TABLE traces ADD COLUMN example_key TEXT NOT NULL DEFAULT '';
        ALTER TABLE traces ADD COLUMN trajectory TEXT NOT NULL DEFAULT 'text';
        ALTER TABLE traces ADD COLUMN is_pretending INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE traces ADD COLUMN ignores_error INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE traces ADD COLUMN evidence_share REAL;
        CREATE INDEX traces_by_example ON traces (example_key);
        CREATE INDEX traces_by_creation ON traces (created_at);
        CREATE TABLE drafts (
            trace_id TEXT NOT NULL REFERENCES traces (id),
            author TEXT NOT NULL,
            counter INTEGER NOT NULL,
            base_revision_id TEXT NOT NULL REFERENCES revisions (id),
            is_changed INTEGER NOT NULL,
            data TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            PRIMARY KEY (trace_id, author)
        );
        CREATE TABLE revision_edits (
            revision_id TEXT PRIMARY KEY REFERENCES revisions (id),
            edits TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE reservations (
            trace_id TEXT PRIMARY KEY REFERENCES traces (id),
            holder TEXT NOT NULL,
            taken_at REAL NOT NULL,
            expires_at REAL NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX reservations_by_holder ON reservations (holder);
        CREATE TABLE assignments (
            trace_id TEXT NOT NULL REFERENCES traces (id),
            person TEXT NOT NULL,
            author TEXT NOT NULL,
            created_at TEXT NOT NULL,
            PRIMARY KEY (trace_id, person)
        ) WITHOUT ROWID;
        CREATE TABLE trace_tags (
            trace_id TEXT NOT NULL REFERENCES traces (id),
            tag TEXT NOT NULL,
            author TEXT NOT NULL,
            created_at TEXT NOT NULL,
            PRIMARY KEY (trace_id, tag)
        ) WITHOUT ROWID;
        CREATE INDEX trace_tags_by_tag ON trace_tags (tag);
        CREATE TABLE preferences (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            chosen_id TEXT NOT NULL REFERENCES revisions (id),
            rejected_id TEXT NOT NULL REFERENCES revisions (id),
            is_tie INTEGER NOT NULL,
            author TEXT NOT NULL,
            reason TEXT NOT NULL,
            created_at TEXT NOT NULL,
            undone_at TEXT
        );
        CREATE TABLE review_rounds (
            trace_id TEXT PRIMARY KEY REFERENCES traces (id),
            wanted INTEGER NOT NULL,
            state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'agreed', 'disputed', 'adjudicated')),
            author TEXT NOT NULL,
            created_at TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE INDEX review_rounds_by_state ON review_rounds (state);
        CREATE TABLE adjudications (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            trace_id TEXT NOT NULL REFERENCES traces (id),
            revision_id TEXT NOT NULL REFERENCES revisions (id),
            author TEXT NOT NULL,
            verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'rejected')),
            reason TEXT NOT NULL,
            created_at TEXT NOT NULL
        );
        CREATE INDEX adjudications_by_revision ON adjudications (revision_id);
        CREATE TABLE bulk_actions (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            author TEXT NOT NULL,
            verdict TEXT NOT NULL,
            created_at TEXT NOT NULL,
            undone_at TEXT
        );
        CREATE TABLE bulk_reviews (
            action_id TEXT NOT NULL REFERENCES bulk_actions (id),
            review_id TEXT NOT NULL REFERENCES reviews (id),
            PRIMARY KEY (action_id, review_id)
        ) WITHOUT ROWID;
        CREATE TABLE blank_checks (
            revision_id TEXT NOT NULL REFERENCES revisions (id),
            step INTEGER NOT NULL,
            answer TEXT,
            expected TEXT,
            is_changed INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            PRIMARY KEY (revision_id, step)
        ) WITHOUT ROWID;
        CREATE TABLE saved_views (
            owner TEXT NOT NULL,
            name TEXT NOT NULL,
            query TEXT NOT NULL,
            created_at TEXT NOT NULL,
            PRIMARY KEY (owner, name)
        ) WITHOUT ROWID;
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
                WHEN operating < 0.3 * n THEN 'seldom' WHEN operating < 0.7 * n THEN 'often' ELSE 'mostly' END) STORED,
            disagreement INTEGER GENERATED ALWAYS AS (CASE WHEN top = n THEN 0 WHEN 2 * top >= n THEN 1 ELSE 2 END) STORED
        ) WITHOUT ROWID;
    """)


@schema()
def m010_curation_facets(db: Database) -> None:
    # Facts that only Python derives are filled in first, while no trigger watches.
    rows = db.conn.execute(
        "SELECT t.number, t.evidence, r.trace_json FROM traces t JOIN revisions r ON r.id = t.head_id"
    )
    for number, evidence, text in rows.fetchall():
        trace, _ = trace_from_json(json.loads(text))
        facts = faithfulness_columns(trace, evidence) | {"example_key": example_key(trace)}
        assignments = ", ".join(f"{name} = :{name}" for name in facts)
        db.conn.execute(f"UPDATE traces SET {assignments} WHERE number = :number", facts | {"number": number})
    db.executescript(f"""
        DROP TRIGGER traces_found_in;
        DROP TRIGGER traces_found_out;
        DROP TRIGGER traces_found_over;
        {rebuild(FACETS)}
        {triggers(FACETS)}
        CREATE TRIGGER groups_levelled AFTER UPDATE ON example_groups
            WHEN old.rapr_level <> new.rapr_level OR old.disagreement <> new.disagreement OR min(old.n, new.n) = 1
        BEGIN UPDATE traces SET status = status WHERE example_key = new.example_key; END;
        CREATE TRIGGER tags_found_in AFTER INSERT ON trace_tags
        BEGIN UPDATE traces SET status = status WHERE id = new.trace_id; END;
        CREATE TRIGGER tags_found_out AFTER DELETE ON trace_tags
        BEGIN UPDATE traces SET status = status WHERE id = old.trace_id; END;
        CREATE TRIGGER assignments_found_in AFTER INSERT ON assignments
        BEGIN UPDATE traces SET status = status WHERE id = new.trace_id; END;
        CREATE TRIGGER assignments_found_out AFTER DELETE ON assignments
        BEGIN UPDATE traces SET status = status WHERE id = old.trace_id; END;
        CREATE TRIGGER rounds_found_in AFTER INSERT ON review_rounds
        BEGIN UPDATE traces SET status = status WHERE id = new.trace_id; END;
        CREATE TRIGGER rounds_found_over AFTER UPDATE ON review_rounds
        BEGIN UPDATE traces SET status = status WHERE id = new.trace_id; END;
        CREATE TRIGGER rounds_found_out AFTER DELETE ON review_rounds
        BEGIN UPDATE traces SET status = status WHERE id = old.trace_id; END;
        CREATE TRIGGER blank_checks_found_in AFTER INSERT ON blank_checks
        BEGIN
            UPDATE traces SET status = status WHERE id = (SELECT trace_id FROM revisions WHERE id = new.revision_id);
        END;
    """)


@schema()
def m011_reference_indexes(db: Database) -> None:
    # While a deferred reference is open, as between a trace and its first revision, SQLite looks for rows that a new
    # one might be the missing target of: without these indexes each new trace would scan all that are there.
    db.executescript("""
        CREATE INDEX traces_by_head ON traces (head_id);
        CREATE INDEX revisions_by_parent ON revisions (parent_id);
        CREATE INDEX job_revisions_by_revision ON job_revisions (revision_id);
        CREATE INDEX drafts_by_base ON drafts (base_revision_id);
        CREATE INDEX preferences_by_chosen ON preferences (chosen_id);
        CREATE INDEX preferences_by_rejected ON preferences (rejected_id);
        CREATE INDEX adjudications_by_trace ON adjudications (trace_id);
    """)


@schema()
def m012_search_as_typed(db: Database) -> None:
    # The beginning of a word is looked up in an index of its own length, else SQLite first collects every text that has
    # any word so begun: 2 ms in 20,000 traces, and in proportion beyond. Twice the index, 1.3 KB a trace.
    db.executescript(f"""
        DROP TABLE trace_search;
        CREATE VIRTUAL TABLE trace_search USING fts5 (
            question, thoughts, answer, facets, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7 8'
        );
        {rebuild(FACETS)}
    """)
