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
