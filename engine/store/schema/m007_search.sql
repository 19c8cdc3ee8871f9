-- The filters stand in the full-text index as words of their own column ("facets"; values as hexadecimal digits, so
-- that each is one word): any mix of filters and search is then one intersection of sorted lists, in page order.
CREATE VIRTUAL TABLE trace_search USING fts5 (
    question, thoughts, answer, facets, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
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
    FROM traces t ORDER BY t.number;
CREATE TRIGGER traces_found_in AFTER INSERT ON traces
BEGIN
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
    );
END;
CREATE TRIGGER traces_found_out AFTER DELETE ON traces
BEGIN DELETE FROM trace_search WHERE rowid = old.number; END;
CREATE TRIGGER traces_found_over AFTER UPDATE OF head_id, status, question, answer, policy, source, media_kind,
    stop_reason, has_operation, operation_errors, score ON traces
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
    ) WHERE rowid = new.number;
END;
