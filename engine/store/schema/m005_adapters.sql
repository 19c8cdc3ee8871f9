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
