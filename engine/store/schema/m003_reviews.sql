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
