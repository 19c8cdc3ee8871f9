-- What is derived from the records (engine.store.facets), and by which definition.
CREATE TABLE derivations (name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL) WITHOUT ROWID;
-- m002 once lacked these two.
CREATE INDEX IF NOT EXISTS traces_by_policy ON traces (policy);
CREATE INDEX IF NOT EXISTS traces_by_source ON traces (substr(source, 1, instr(source || '/', '/') - 1));
