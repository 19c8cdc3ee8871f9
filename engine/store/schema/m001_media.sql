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
