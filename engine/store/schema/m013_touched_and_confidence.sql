ALTER TABLE traces ADD COLUMN confidence REAL;
CREATE INDEX traces_touched ON traces (updated_at) WHERE updated_at <> created_at;
DROP TRIGGER traces_found_in;
DROP TRIGGER traces_found_out;
DROP TRIGGER traces_found_over;
DROP TRIGGER traces_grouped_over;
DROP TABLE trace_search;
CREATE VIRTUAL TABLE trace_search USING fts5 (
    question, thoughts, answer, facets, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3 4 5 6 7 8'
);
DELETE FROM example_answers;
DELETE FROM example_groups;
INSERT INTO example_answers
    SELECT example_key, coalesce(answer, ''), count(*) FROM traces GROUP BY 1, 2;
INSERT INTO example_groups (example_key, n, operating, top)
    SELECT t.example_key, count(*), sum(t.has_operation <> 0),
        (SELECT max(a.n) FROM example_answers a WHERE a.example_key = t.example_key)
    FROM traces t GROUP BY 1;
DELETE FROM trace_search;
INSERT INTO trace_search (rowid, question, thoughts, answer, facets)
    SELECT
        t.number,
        t.question,
        (SELECT group_concat(json_extract(s.value, '$.thought'), char(10))
            FROM revisions r, json_each(r.trace_json, '$.steps') s WHERE r.id = t.head_id),
        t.answer,
        'status' || lower(hex(t.status))
            || ' policy' || lower(hex(t.policy))
            || ' source' || lower(hex(substr(t.source, 1, instr(t.source || '/', '/') - 1)))
            || ' kind' || t.media_kind
            || ' stop' || lower(hex(t.stop_reason))
            || ' operation' || (t.has_operation <> 0)
            || ' error' || (t.operation_errors > 0)
            || ' outcome' || CASE WHEN t.score IS NULL THEN 'unscored'
                                  WHEN t.score >= 1 THEN 'right' WHEN t.score <= 0 THEN 'wrong'
                                  ELSE 'partial' END
            || ' trajectory' || lower(hex(t.trajectory))
            || ' pretended' || t.is_pretending
            || ' ignored' || t.ignores_error
            || ' evidence' || CASE WHEN t.evidence_share IS NULL THEN 'unknown'
                                   WHEN t.evidence_share >= 0.9 THEN 'held' ELSE 'missed' END
            || ' edited' || (SELECT r.parent_id IS NOT NULL FROM revisions r WHERE r.id = t.head_id)
            || coalesce((SELECT ' rapr' || g.rapr_level FROM example_groups g
                         WHERE g.example_key = t.example_key AND g.n > 1), '')
            || ' teach' || iif(t.status IN ('accepted', 'rejected'), 0, 1
                + coalesce((SELECT 2 * g.disagreement FROM example_groups g WHERE g.example_key = t.example_key), 0)
                + CASE WHEN t.score IS NULL THEN 2 WHEN t.score >= 1 THEN 0 WHEN t.score <= 0 THEN 3 ELSE 2 END
                + (t.operation_errors > 0 OR t.is_pretending OR t.ignores_error
                    OR coalesce(t.confidence < 0.9, 0)))
            || coalesce((SELECT group_concat(' tag' || lower(hex(x.tag)), '') FROM trace_tags x
                         WHERE x.trace_id = t.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' reviewer' || lower(hex(x.reviewer))) FROM reviews x
                         WHERE x.trace_id = t.id AND x.undone_at IS NULL), '')
            || coalesce((SELECT group_concat(' assigned' || lower(hex(x.person)), '') FROM assignments x
                         WHERE x.trace_id = t.id), '')
            || coalesce((SELECT ' round' || x.state FROM review_rounds x WHERE x.trace_id = t.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' blanking' || iif(x.is_changed, 'changes', 'keeps'))
                         FROM blank_checks x WHERE x.revision_id = t.head_id), '')
            || iif(t.updated_at = t.created_at, ' untouched', ' u' || substr(t.updated_at, 3, 2)
                || substr(t.updated_at, 6, 2) || substr(t.updated_at, 9, 2) || substr(t.updated_at, 12, 2))
    FROM traces t ORDER BY t.number;
CREATE TRIGGER traces_found_in AFTER INSERT ON traces
BEGIN
    INSERT INTO example_answers VALUES (new.example_key, coalesce(new.answer, ''), 1)
        ON CONFLICT (example_key, answer) DO UPDATE SET n = n + 1;
    INSERT INTO example_groups (example_key, n, operating, top) VALUES (new.example_key, 0, 0, 0)
        ON CONFLICT (example_key) DO NOTHING;
    UPDATE example_groups SET n = n + 1, operating = operating + 1 * (new.has_operation <> 0),
        top = coalesce((SELECT max(a.n) FROM example_answers a WHERE a.example_key = new.example_key), 0)
        WHERE example_key = new.example_key;
    INSERT INTO trace_search (rowid, question, thoughts, answer, facets) VALUES (
        new.number,
        new.question,
        (SELECT group_concat(json_extract(s.value, '$.thought'), char(10))
            FROM revisions r, json_each(r.trace_json, '$.steps') s WHERE r.id = new.head_id),
        new.answer,
        'status' || lower(hex(new.status))
            || ' policy' || lower(hex(new.policy))
            || ' source' || lower(hex(substr(new.source, 1, instr(new.source || '/', '/') - 1)))
            || ' kind' || new.media_kind
            || ' stop' || lower(hex(new.stop_reason))
            || ' operation' || (new.has_operation <> 0)
            || ' error' || (new.operation_errors > 0)
            || ' outcome' || CASE WHEN new.score IS NULL THEN 'unscored'
                                  WHEN new.score >= 1 THEN 'right' WHEN new.score <= 0 THEN 'wrong'
                                  ELSE 'partial' END
            || ' trajectory' || lower(hex(new.trajectory))
            || ' pretended' || new.is_pretending
            || ' ignored' || new.ignores_error
            || ' evidence' || CASE WHEN new.evidence_share IS NULL THEN 'unknown'
                                   WHEN new.evidence_share >= 0.9 THEN 'held' ELSE 'missed' END
            || ' edited' || (SELECT r.parent_id IS NOT NULL FROM revisions r WHERE r.id = new.head_id)
            || coalesce((SELECT ' rapr' || g.rapr_level FROM example_groups g
                         WHERE g.example_key = new.example_key AND g.n > 1), '')
            || ' teach' || iif(new.status IN ('accepted', 'rejected'), 0, 1
                + coalesce((SELECT 2 * g.disagreement FROM example_groups g WHERE g.example_key = new.example_key), 0)
                + CASE WHEN new.score IS NULL THEN 2 WHEN new.score >= 1 THEN 0 WHEN new.score <= 0 THEN 3 ELSE 2 END
                + (new.operation_errors > 0 OR new.is_pretending OR new.ignores_error
                    OR coalesce(new.confidence < 0.9, 0)))
            || coalesce((SELECT group_concat(' tag' || lower(hex(x.tag)), '') FROM trace_tags x
                         WHERE x.trace_id = new.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' reviewer' || lower(hex(x.reviewer))) FROM reviews x
                         WHERE x.trace_id = new.id AND x.undone_at IS NULL), '')
            || coalesce((SELECT group_concat(' assigned' || lower(hex(x.person)), '') FROM assignments x
                         WHERE x.trace_id = new.id), '')
            || coalesce((SELECT ' round' || x.state FROM review_rounds x WHERE x.trace_id = new.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' blanking' || iif(x.is_changed, 'changes', 'keeps'))
                         FROM blank_checks x WHERE x.revision_id = new.head_id), '')
            || iif(new.updated_at = new.created_at, ' untouched', ' u' || substr(new.updated_at, 3, 2)
                || substr(new.updated_at, 6, 2) || substr(new.updated_at, 9, 2) || substr(new.updated_at, 12, 2))
    );
END;
CREATE TRIGGER traces_found_out AFTER DELETE ON traces
BEGIN
    INSERT INTO example_answers VALUES (old.example_key, coalesce(old.answer, ''), -1)
        ON CONFLICT (example_key, answer) DO UPDATE SET n = n + -1;
    INSERT INTO example_groups (example_key, n, operating, top) VALUES (old.example_key, 0, 0, 0)
        ON CONFLICT (example_key) DO NOTHING;
    UPDATE example_groups SET n = n + -1, operating = operating + -1 * (old.has_operation <> 0),
        top = coalesce((SELECT max(a.n) FROM example_answers a WHERE a.example_key = old.example_key), 0)
        WHERE example_key = old.example_key;
    DELETE FROM trace_search WHERE rowid = old.number;
END;
CREATE TRIGGER traces_found_over AFTER UPDATE OF head_id, status, question, answer, policy, source, media_kind,
    stop_reason, has_operation, operation_errors, score, trajectory, is_pretending, ignores_error, evidence_share,
    confidence, updated_at ON traces
BEGIN
    UPDATE trace_search SET (question, thoughts, answer, facets) = (SELECT
        new.question,
        (SELECT group_concat(json_extract(s.value, '$.thought'), char(10))
            FROM revisions r, json_each(r.trace_json, '$.steps') s WHERE r.id = new.head_id),
        new.answer,
        'status' || lower(hex(new.status))
            || ' policy' || lower(hex(new.policy))
            || ' source' || lower(hex(substr(new.source, 1, instr(new.source || '/', '/') - 1)))
            || ' kind' || new.media_kind
            || ' stop' || lower(hex(new.stop_reason))
            || ' operation' || (new.has_operation <> 0)
            || ' error' || (new.operation_errors > 0)
            || ' outcome' || CASE WHEN new.score IS NULL THEN 'unscored'
                                  WHEN new.score >= 1 THEN 'right' WHEN new.score <= 0 THEN 'wrong'
                                  ELSE 'partial' END
            || ' trajectory' || lower(hex(new.trajectory))
            || ' pretended' || new.is_pretending
            || ' ignored' || new.ignores_error
            || ' evidence' || CASE WHEN new.evidence_share IS NULL THEN 'unknown'
                                   WHEN new.evidence_share >= 0.9 THEN 'held' ELSE 'missed' END
            || ' edited' || (SELECT r.parent_id IS NOT NULL FROM revisions r WHERE r.id = new.head_id)
            || coalesce((SELECT ' rapr' || g.rapr_level FROM example_groups g
                         WHERE g.example_key = new.example_key AND g.n > 1), '')
            || ' teach' || iif(new.status IN ('accepted', 'rejected'), 0, 1
                + coalesce((SELECT 2 * g.disagreement FROM example_groups g WHERE g.example_key = new.example_key), 0)
                + CASE WHEN new.score IS NULL THEN 2 WHEN new.score >= 1 THEN 0 WHEN new.score <= 0 THEN 3 ELSE 2 END
                + (new.operation_errors > 0 OR new.is_pretending OR new.ignores_error
                    OR coalesce(new.confidence < 0.9, 0)))
            || coalesce((SELECT group_concat(' tag' || lower(hex(x.tag)), '') FROM trace_tags x
                         WHERE x.trace_id = new.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' reviewer' || lower(hex(x.reviewer))) FROM reviews x
                         WHERE x.trace_id = new.id AND x.undone_at IS NULL), '')
            || coalesce((SELECT group_concat(' assigned' || lower(hex(x.person)), '') FROM assignments x
                         WHERE x.trace_id = new.id), '')
            || coalesce((SELECT ' round' || x.state FROM review_rounds x WHERE x.trace_id = new.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' blanking' || iif(x.is_changed, 'changes', 'keeps'))
                         FROM blank_checks x WHERE x.revision_id = new.head_id), '')
            || iif(new.updated_at = new.created_at, ' untouched', ' u' || substr(new.updated_at, 3, 2)
                || substr(new.updated_at, 6, 2) || substr(new.updated_at, 9, 2) || substr(new.updated_at, 12, 2))
    ) WHERE rowid = new.number;
END;
CREATE TRIGGER traces_grouped_over AFTER UPDATE OF answer, has_operation, example_key ON traces
    WHEN old.answer IS NOT new.answer OR old.has_operation <> new.has_operation
        OR old.example_key <> new.example_key
BEGIN
    INSERT INTO example_answers VALUES (old.example_key, coalesce(old.answer, ''), -1)
        ON CONFLICT (example_key, answer) DO UPDATE SET n = n + -1;
    INSERT INTO example_groups (example_key, n, operating, top) VALUES (old.example_key, 0, 0, 0)
        ON CONFLICT (example_key) DO NOTHING;
    UPDATE example_groups SET n = n + -1, operating = operating + -1 * (old.has_operation <> 0),
        top = coalesce((SELECT max(a.n) FROM example_answers a WHERE a.example_key = old.example_key), 0)
        WHERE example_key = old.example_key;
    INSERT INTO example_answers VALUES (new.example_key, coalesce(new.answer, ''), 1)
        ON CONFLICT (example_key, answer) DO UPDATE SET n = n + 1;
    INSERT INTO example_groups (example_key, n, operating, top) VALUES (new.example_key, 0, 0, 0)
        ON CONFLICT (example_key) DO NOTHING;
    UPDATE example_groups SET n = n + 1, operating = operating + 1 * (new.has_operation <> 0),
        top = coalesce((SELECT max(a.n) FROM example_answers a WHERE a.example_key = new.example_key), 0)
        WHERE example_key = new.example_key;
END;
