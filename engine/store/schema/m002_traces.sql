-- A trace and its first revision point at each other: the checks wait for the commit.
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
