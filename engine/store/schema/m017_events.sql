-- What was done to a trace beside revisions and verdicts: rows are only ever added, so that taking a tag off, taking an
-- assignment back or ending a round leaves what was before it in the history.
CREATE TABLE trace_events (
    number INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL REFERENCES traces (id),
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('tagged', 'untagged', 'assigned', 'unassigned', 'asked', 'ended')),
    detail TEXT NOT NULL
);
CREATE INDEX trace_events_by_trace ON trace_events (trace_id);
INSERT INTO trace_events (trace_id, at, who, kind, detail)
SELECT trace_id, created_at, author, 'tagged', tag FROM trace_tags
UNION ALL SELECT trace_id, created_at, author, 'assigned', person FROM assignments
UNION ALL SELECT trace_id, created_at, author, 'asked', wanted || ' reviews' FROM review_rounds
ORDER BY 2;
CREATE TRIGGER trace_events_never_change BEFORE UPDATE ON trace_events
BEGIN SELECT RAISE(ABORT, 'what was done stays as it was recorded'); END;
