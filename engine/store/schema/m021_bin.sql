-- The bin: rows that were taken out of their tables, each as a JSON object, or what was changed in those that stayed. Once
-- it is emptied a tombstone of each revision is left, and what jobs had learned from it.
CREATE TABLE deletions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('trace', 'picture', 'person', 'before')),
    named TEXT NOT NULL,
    author TEXT NOT NULL,
    created_at TEXT NOT NULL,
    emptied_at TEXT
);
CREATE TABLE bin_rows (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    deletion_id TEXT NOT NULL REFERENCES deletions (id),
    batch INTEGER NOT NULL,
    of_table TEXT NOT NULL,
    act TEXT NOT NULL CHECK (act IN ('taken', 'changed')),
    name TEXT NOT NULL,
    row TEXT NOT NULL
);
CREATE INDEX bin_rows_by_name ON bin_rows (of_table, name);
CREATE INDEX bin_rows_by_deletion ON bin_rows (deletion_id, batch);
CREATE TABLE revision_tombstones (
    id TEXT PRIMARY KEY,
    trace_id TEXT NOT NULL,
    number INTEGER NOT NULL,
    hash TEXT NOT NULL,
    parent_hash TEXT,
    deleted_at TEXT NOT NULL,
    deleted_by TEXT NOT NULL,
    UNIQUE (trace_id, number)
) WITHOUT ROWID;
CREATE TABLE job_tombstones (
    job_id TEXT NOT NULL REFERENCES jobs (id),
    position INTEGER NOT NULL,
    revision_id TEXT NOT NULL REFERENCES revision_tombstones (id),
    PRIMARY KEY (job_id, position)
) WITHOUT ROWID;
CREATE INDEX job_tombstones_by_revision ON job_tombstones (revision_id);
-- What is still to be erased after the bin was emptied: files, and what the database file holds of rows that are gone.
CREATE TABLE erasures (
    kind TEXT NOT NULL CHECK (kind IN ('media', 'job', 'database')),
    name TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) WITHOUT ROWID;
-- The highest number of each table that was ever taken out of it: it is given to nothing else.
CREATE TABLE numbers_given (of_table TEXT PRIMARY KEY, highest INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX bulk_reviews_by_review ON bulk_reviews (review_id);
