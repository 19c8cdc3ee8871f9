-- People with a name of their own, and the secrets that they are known by: sessions of browsers, tokens of programs,
-- invitations. Of a secret only its SHA-256 is kept. `subject` names a person where somebody else knows them (the Hub's id of
-- an account), `folded` is the name as it is told from others.
CREATE TABLE people (
    name TEXT PRIMARY KEY,
    folded TEXT NOT NULL UNIQUE,
    subject TEXT UNIQUE,
    role TEXT NOT NULL CHECK (role IN ('visitor', 'annotator', 'trainer', 'admin')),
    password TEXT,
    created_at TEXT NOT NULL,
    ended_at TEXT
) WITHOUT ROWID;
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('session', 'token', 'invitation')),
    hash TEXT NOT NULL UNIQUE,
    person TEXT,
    role TEXT,
    title TEXT NOT NULL DEFAULT '',
    author TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT,
    ended_at TEXT
) WITHOUT ROWID;
CREATE INDEX keys_by_person ON keys (person);
CREATE TABLE claimed_guests (guest TEXT PRIMARY KEY, person TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE home_secrets (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
-- Who brought a medium. One that nobody brought, a sample or an imported one, has no row.
CREATE TABLE uploads (
    sha256 TEXT NOT NULL REFERENCES media (sha256),
    person TEXT NOT NULL,
    created_at TEXT NOT NULL,
    PRIMARY KEY (sha256, person)
) WITHOUT ROWID;
CREATE INDEX uploads_by_person ON uploads (person);
ALTER TABLE traces ADD COLUMN is_private INTEGER NOT NULL DEFAULT 0;
CREATE INDEX traces_private ON traces (author) WHERE is_private;
CREATE INDEX traces_by_author ON traces (author);
-- What a version says never changes, and neither does its hash; a guest's is signed by the name of whoever claimed it.
DROP TRIGGER revisions_never_change;
CREATE TRIGGER revisions_never_change
    BEFORE UPDATE OF id, trace_id, parent_id, number, created_at, hash, trace_json ON revisions
BEGIN SELECT RAISE(ABORT, 'a revision never changes'); END;
CREATE TRIGGER revisions_are_signed_once BEFORE UPDATE OF author ON revisions
    WHEN NOT EXISTS (SELECT 1 FROM claimed_guests WHERE guest = old.author AND person = new.author)
BEGIN SELECT RAISE(ABORT, 'a revision never changes'); END;
