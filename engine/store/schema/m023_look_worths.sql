-- What a look was worth: the probability of the answer of a revision before its step brought views, and after.
CREATE TABLE look_worths (
    revision_id TEXT NOT NULL REFERENCES revisions (id),
    step INTEGER NOT NULL,
    answer TEXT NOT NULL,
    before REAL NOT NULL,
    after REAL NOT NULL,
    policy TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (revision_id, step)
) WITHOUT ROWID;
