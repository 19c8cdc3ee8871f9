-- Examples that people brought in, by data set. What an example says is its JSON (engine.trace_json); content_hash is the
-- SHA-256 of that JSON without its source, so that what comes in a second time is known.
CREATE TABLE examples (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    data_set TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    original_id TEXT,
    file_names TEXT NOT NULL,
    example TEXT NOT NULL,
    has_answer INTEGER NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE (data_set, content_hash)
);
CREATE INDEX examples_in_order ON examples (data_set, number, has_answer, created_at);
CREATE TABLE example_media (
    example_number INTEGER NOT NULL REFERENCES examples (number) ON DELETE CASCADE,
    sha256 TEXT NOT NULL REFERENCES media (sha256),
    PRIMARY KEY (example_number, sha256)
) WITHOUT ROWID;
CREATE INDEX example_media_by_hash ON example_media (sha256);
