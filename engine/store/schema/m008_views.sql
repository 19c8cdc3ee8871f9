CREATE VIEW trace_heads AS
SELECT t.id, t.status, t.question, t.answer, t.gold, t.score, t.policy, t.protocol, t.source, t.stop_reason,
    t.step_count, t.has_operation, t.operation_errors, t.media_sha256, t.created_at, t.updated_at,
    r.id AS revision_id, r.number AS revision_number, r.author AS revision_author, r.hash, r.trace_json
FROM traces t JOIN revisions r ON r.id = t.head_id;
CREATE VIEW steps AS
SELECT t.id AS trace_id, t.head_id AS revision_id, s.key + 1 AS step,
    json_extract(s.value, '$.thought') AS thought,
    json_extract(s.value, '$.operation.name') AS operation,
    json_extract(s.value, '$.operation.view') AS view,
    json_extract(s.value, '$.operation.box') AS box,
    json_extract(s.value, '$.operation.frames') AS frames,
    json_extract(s.value, '$.observation.views') AS new_views,
    json_extract(s.value, '$.observation.error') AS error,
    json_extract(s.value, '$.answer') AS answer,
    coalesce(json_extract(s.value, '$.is_erroneous'), 0) AS is_erroneous
FROM traces t JOIN revisions r ON r.id = t.head_id, json_each(r.trace_json, '$.steps') s;
CREATE VIEW standing_reviews AS
SELECT id, trace_id, revision_id, reviewer, verdict, reason, created_at FROM reviews WHERE undone_at IS NULL;
CREATE VIEW job_metrics AS
SELECT e.job_id, e.step, m.key AS metric, m.value, e.created_at
FROM job_events e, json_each(e.data) m WHERE e.kind = 'metric';
