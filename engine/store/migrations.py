"""The schema, as forward-only steps: each function runs once, in its own transaction, in the order of this file.

Invariants:
- a migration that has been released is never changed; a new one is added below;
- each works on a populated database of the version before it (tests/store/test_migrations.py holds every one to that);
- what the queue page filters and searches by is derived by triggers, from the traces row and its head revision, so it
  cannot drift from them, whoever writes.

For people who paste queries there are views: `trace_heads` (one row a trace, with its head revision), `steps` (one row
a step of each head), `standing_reviews` (reviews that were not undone) and `job_metrics`.
Not covered: connections and their pragmas (`engine.store.connection`).
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from engine.errors import Unavailable
from engine.store.connection import Connections

__all__ = ["migrate", "schema"]

schema = Migrations("studio")
"""The ordered steps; sqlite-utils records in the database which of them have run."""


def migrate(connections: Connections) -> list[str]:
    """Brings the database up to date and returns the names of the migrations that ran.

    Several processes may call this at once: each step is taken under the write lock. Raises Unavailable where the
    database was written by a newer version of the studio.
    """
    known = {m.name for m in schema.pending(Database(memory=True))}
    done: list[str] = []
    while True:
        database = connections.database()
        if strangers := sorted({m.name for m in schema.applied(database)} - known):
            raise Unavailable(
                f"the database {connections.path.name} was written by a newer version of the studio "
                f"(it has {', '.join(strangers)}); update the studio, or start it with another STUDIO_HOME"
            )
        if not schema.pending(database):
            return done
        with connections.write() as locked:
            if pending := schema.pending(locked):
                schema.apply(locked, stop_before=[m.name for m in pending[1:]])
                done.append(pending[0].name)


@schema()
def m001_media(db: Database) -> None:
    db.executescript("""
        CREATE TABLE media (
            sha256 TEXT PRIMARY KEY,
            kind TEXT NOT NULL CHECK (kind IN ('image', 'video')),
            width INTEGER NOT NULL,
            height INTEGER NOT NULL,
            name TEXT NOT NULL DEFAULT '',
            byte_size INTEGER,
            created_at TEXT NOT NULL
        );
        CREATE INDEX media_by_time ON media (created_at);
    """)


@schema()
def m002_traces(db: Database) -> None:
    # A trace and its first revision point at each other: the checks wait for the commit.
    db.executescript("""
        CREATE TABLE traces (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            head_id TEXT NOT NULL REFERENCES revisions (id) DEFERRABLE INITIALLY DEFERRED,
            status TEXT NOT NULL DEFAULT 'new'
                CHECK (status IN ('new', 'edited', 'accepted', 'rejected', 'flagged')),
            question TEXT NOT NULL,
            answer TEXT,
            stop_reason TEXT NOT NULL,
            policy TEXT NOT NULL,
            protocol TEXT NOT NULL,
            media_sha256 TEXT REFERENCES media (sha256),
            media_kind TEXT NOT NULL DEFAULT '',
            step_count INTEGER NOT NULL,
            has_operation INTEGER NOT NULL,
            operation_errors INTEGER NOT NULL,
            score REAL,
            gold TEXT,
            source TEXT NOT NULL DEFAULT '',
            author TEXT NOT NULL,
            policy_settings TEXT NOT NULL DEFAULT '{}',
            options TEXT NOT NULL DEFAULT '[]',
            evidence TEXT,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL
        );
        CREATE TABLE revisions (
            id TEXT PRIMARY KEY,
            trace_id TEXT NOT NULL REFERENCES traces (id) DEFERRABLE INITIALLY DEFERRED,
            parent_id TEXT REFERENCES revisions (id),
            number INTEGER NOT NULL,
            author TEXT NOT NULL,
            created_at TEXT NOT NULL,
            hash TEXT NOT NULL,
            trace_json TEXT NOT NULL,
            UNIQUE (trace_id, number),
            UNIQUE (trace_id, hash)
        );
        CREATE TABLE trace_media (
            trace_id TEXT NOT NULL REFERENCES traces (id),
            sha256 TEXT NOT NULL REFERENCES media (sha256),
            PRIMARY KEY (trace_id, sha256)
        ) WITHOUT ROWID;
        CREATE INDEX trace_media_by_sha256 ON trace_media (sha256);
        CREATE INDEX traces_by_status ON traces (status);
        CREATE INDEX traces_by_policy ON traces (policy);
        CREATE INDEX traces_by_source ON traces (substr(source, 1, instr(source || '/', '/') - 1));
        CREATE INDEX traces_by_update ON traces (updated_at);
        CREATE INDEX traces_by_status_and_update ON traces (status, updated_at);
        CREATE TRIGGER revisions_never_change BEFORE UPDATE ON revisions
        BEGIN SELECT RAISE(ABORT, 'a revision never changes'); END;
    """)


@schema()
def m003_reviews(db: Database) -> None:
    db.executescript("""
        CREATE TABLE reviews (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            trace_id TEXT NOT NULL REFERENCES traces (id),
            revision_id TEXT NOT NULL REFERENCES revisions (id),
            reviewer TEXT NOT NULL,
            verdict TEXT NOT NULL CHECK (verdict IN ('accepted', 'rejected', 'skipped', 'flagged')),
            reason TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            undone_at TEXT
        );
        CREATE INDEX reviews_by_trace ON reviews (trace_id);
        CREATE INDEX reviews_by_revision ON reviews (revision_id);
        CREATE INDEX reviews_by_reviewer ON reviews (reviewer);
    """)


@schema()
def m004_jobs(db: Database) -> None:
    db.executescript("""
        CREATE TABLE jobs (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            kind TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN
                ('queued', 'running', 'stopping', 'stopped', 'done', 'failed', 'interrupted')),
            message TEXT NOT NULL DEFAULT '',
            progress REAL NOT NULL DEFAULT 0,
            config TEXT NOT NULL,
            seeds TEXT NOT NULL,
            versions TEXT NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            started_at TEXT,
            finished_at TEXT,
            owner TEXT,
            heartbeat_at REAL
        );
        CREATE INDEX jobs_by_state ON jobs (state);
        CREATE TABLE job_revisions (
            job_id TEXT NOT NULL REFERENCES jobs (id),
            position INTEGER NOT NULL,
            revision_id TEXT NOT NULL REFERENCES revisions (id),
            PRIMARY KEY (job_id, position)
        ) WITHOUT ROWID;
        CREATE TABLE job_events (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job_id TEXT NOT NULL REFERENCES jobs (id),
            step INTEGER,
            kind TEXT NOT NULL,
            data TEXT NOT NULL,
            created_at TEXT NOT NULL
        );
        CREATE INDEX job_events_by_job ON job_events (job_id);
    """)


@schema()
def m005_adapters(db: Database) -> None:
    db.executescript("""
        CREATE TABLE adapters (
            number INTEGER PRIMARY KEY,
            id TEXT NOT NULL UNIQUE,
            name TEXT NOT NULL,
            path TEXT NOT NULL,
            job_id TEXT REFERENCES jobs (id),
            base_model TEXT NOT NULL,
            base_hash TEXT NOT NULL,
            metrics TEXT NOT NULL DEFAULT '{}',
            created_at TEXT NOT NULL
        );
        CREATE TABLE promotions (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            adapter_id TEXT REFERENCES adapters (id),
            author TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL
        );
    """)


@schema()
def m006_counts(db: Database) -> None:
    db.executescript("""
        CREATE TABLE trace_counts (status TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
        INSERT INTO trace_counts VALUES ('new', 0), ('edited', 0), ('accepted', 0), ('rejected', 0), ('flagged', 0);
        UPDATE trace_counts SET n = (SELECT count(*) FROM traces t WHERE t.status = trace_counts.status);
        CREATE TRIGGER traces_counted_in AFTER INSERT ON traces
        BEGIN UPDATE trace_counts SET n = n + 1 WHERE status = new.status; END;
        CREATE TRIGGER traces_counted_out AFTER DELETE ON traces
        BEGIN UPDATE trace_counts SET n = n - 1 WHERE status = old.status; END;
        CREATE TRIGGER traces_counted_over AFTER UPDATE OF status ON traces WHEN old.status <> new.status
        BEGIN
            UPDATE trace_counts SET n = n - 1 WHERE status = old.status;
            UPDATE trace_counts SET n = n + 1 WHERE status = new.status;
        END;
    """)


@schema()
def m007_search(db: Database) -> None:
    # The filters stand in the full-text index as words of their own column ("facets"; values as hexadecimal digits, so
    # that each is one word): any mix of filters and search is then one intersection of sorted lists, already in the
    # order of the page, instead of one column's index and a scan over the rest.
    thoughts = """(SELECT group_concat(json_extract(s.value, '$.thought'), char(10))
        FROM revisions r, json_each(r.trace_json, '$.steps') s WHERE r.id = {row}.head_id)"""
    facets = """'status' || lower(hex({row}.status))
        || ' policy' || lower(hex({row}.policy))
        || ' source' || lower(hex(substr({row}.source, 1, instr({row}.source || '/', '/') - 1)))
        || ' kind' || {row}.media_kind
        || ' stop' || lower(hex({row}.stop_reason))
        || ' operation' || ({row}.has_operation <> 0)
        || ' error' || ({row}.operation_errors > 0)
        || ' outcome' || CASE WHEN {row}.score IS NULL THEN 'unscored'
                              WHEN {row}.score >= 1 THEN 'right' WHEN {row}.score <= 0 THEN 'wrong'
                              ELSE 'partial' END"""
    columns = f"{{row}}.question, {thoughts}, {{row}}.answer, {facets}"
    new = columns.format(row="new")
    db.executescript(f"""
        CREATE VIRTUAL TABLE trace_search USING fts5 (
            question, thoughts, answer, facets, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
        );
        INSERT INTO trace_search (rowid, question, thoughts, answer, facets)
        SELECT t.number, {columns.format(row="t")} FROM traces t ORDER BY t.number;
        CREATE TRIGGER traces_found_in AFTER INSERT ON traces
        BEGIN
            INSERT INTO trace_search (rowid, question, thoughts, answer, facets) VALUES (new.number, {new});
        END;
        CREATE TRIGGER traces_found_out AFTER DELETE ON traces
        BEGIN DELETE FROM trace_search WHERE rowid = old.number; END;
        CREATE TRIGGER traces_found_over AFTER UPDATE OF head_id, status, question, answer, policy, source, media_kind,
            stop_reason, has_operation, operation_errors, score ON traces
        BEGIN
            UPDATE trace_search SET (question, thoughts, answer, facets) = (SELECT {new}) WHERE rowid = new.number;
        END;
    """)


@schema()
def m008_views(db: Database) -> None:
    db.executescript("""
        CREATE VIEW trace_heads AS
        SELECT t.id, t.status, t.question, t.answer, t.gold, t.score, t.policy, t.protocol, t.source, t.stop_reason,
            t.step_count, t.has_operation, t.operation_errors, t.media_sha256, t.created_at, t.updated_at,
            r.id AS revision_id, r.number AS revision_number, r.author AS revision_author, r.hash, r.trace_json
        FROM traces t JOIN revisions r ON r.id = t.head_id;
        CREATE VIEW steps AS
        SELECT t.id AS trace_id, t.head_id AS revision_id, s.key + 1 AS step,
            json_extract(s.value, '$.thought') AS thought,
            json_extract(s.value, '$.operation.name') AS operation,
            json_extract(s.value, '$.operation.view') AS view,
            json_extract(s.value, '$.operation.box') AS box,
            json_extract(s.value, '$.operation.frames') AS frames,
            json_extract(s.value, '$.observation.views') AS new_views,
            json_extract(s.value, '$.observation.error') AS error,
            json_extract(s.value, '$.answer') AS answer,
            coalesce(json_extract(s.value, '$.is_erroneous'), 0) AS is_erroneous
        FROM traces t JOIN revisions r ON r.id = t.head_id, json_each(r.trace_json, '$.steps') s;
        CREATE VIEW standing_reviews AS
        SELECT id, trace_id, revision_id, reviewer, verdict, reason, created_at FROM reviews WHERE undone_at IS NULL;
        CREATE VIEW job_metrics AS
        SELECT e.job_id, e.step, m.key AS metric, m.value, e.created_at
        FROM job_events e, json_each(e.data) m WHERE e.kind = 'metric';
    """)
