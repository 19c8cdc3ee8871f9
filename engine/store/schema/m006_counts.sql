CREATE TABLE trace_counts (status TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO trace_counts VALUES ('new', 0), ('edited', 0), ('accepted', 0), ('rejected', 0), ('flagged', 0);
UPDATE trace_counts SET n = (SELECT count(*) FROM traces t WHERE t.status = trace_counts.status);
CREATE TRIGGER traces_counted_in AFTER INSERT ON traces
BEGIN UPDATE trace_counts SET n = n + 1 WHERE status = new.status; END;
CREATE TRIGGER traces_counted_out AFTER DELETE ON traces
BEGIN UPDATE trace_counts SET n = n - 1 WHERE status = old.status; END;
CREATE TRIGGER traces_counted_over AFTER UPDATE OF status ON traces WHEN old.status <> new.status
BEGIN
    UPDATE trace_counts SET n = n - 1 WHERE status = old.status;
    UPDATE trace_counts SET n = n + 1 WHERE status = new.status;
END;
