-- Attempts that jobs make at examples. Those of one job at one example are a group, which the queue shows as one row.
ALTER TABLE traces ADD COLUMN group_id TEXT;
CREATE INDEX traces_by_group ON traces (group_id) WHERE group_id IS NOT NULL;
CREATE TABLE attempted_examples (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    position INTEGER NOT NULL,
    example_key TEXT NOT NULL,
    hash TEXT NOT NULL,
    rule TEXT NOT NULL,
    category TEXT,
    difficulty TEXT,
    chance REAL,
    PRIMARY KEY (job_id, position)
) WITHOUT ROWID;
CREATE TABLE attempts (
    job_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    trace_id TEXT REFERENCES traces (id) ON DELETE SET NULL,
    score REAL,
    hit INTEGER,
    has_operation INTEGER NOT NULL,
    operation_errors INTEGER NOT NULL,
    is_empty INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    cpu_s REAL NOT NULL,
    PRIMARY KEY (job_id, position, number),
    FOREIGN KEY (job_id, position) REFERENCES attempted_examples (job_id, position)
) WITHOUT ROWID;
CREATE INDEX attempts_by_trace ON attempts (trace_id) WHERE trace_id IS NOT NULL;
CREATE TABLE evaluations (
    job_id TEXT PRIMARY KEY REFERENCES jobs (id),
    provenance TEXT NOT NULL,
    summary TEXT,
    updated_at TEXT NOT NULL
) WITHOUT ROWID;
