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
