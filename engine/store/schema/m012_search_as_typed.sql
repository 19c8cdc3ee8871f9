-- The beginning of a word is looked up in an index of its own length, else SQLite first collects every text that has
-- any word so begun: 2 ms in 20,000 traces, and in proportion beyond. Twice the index, 1.3 KB a trace.
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
                + (t.operation_errors > 0 OR t.is_pretending OR t.ignores_error))
            || coalesce((SELECT group_concat(' tag' || lower(hex(x.tag)), '') FROM trace_tags x
                         WHERE x.trace_id = t.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' reviewer' || lower(hex(x.reviewer))) FROM reviews x
                         WHERE x.trace_id = t.id AND x.undone_at IS NULL), '')
            || coalesce((SELECT group_concat(' assigned' || lower(hex(x.person)), '') FROM assignments x
                         WHERE x.trace_id = t.id), '')
            || coalesce((SELECT ' round' || x.state FROM review_rounds x WHERE x.trace_id = t.id), '')
            || coalesce((SELECT group_concat(DISTINCT ' blanking' || iif(x.is_changed, 'changes', 'keeps'))
                         FROM blank_checks x WHERE x.revision_id = t.head_id), '')
    FROM traces t ORDER BY t.number;
