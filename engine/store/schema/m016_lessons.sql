-- What the Train screen asks each second: how many revisions a job has, and of the accepted heads which can be learned
-- from without being read again, from an index alone.
ALTER TABLE jobs ADD COLUMN revision_count INTEGER NOT NULL DEFAULT 0;
UPDATE jobs SET revision_count = (SELECT count(*) FROM job_revisions r WHERE r.job_id = jobs.id);
ALTER TABLE traces ADD COLUMN is_plain_lesson INTEGER NOT NULL DEFAULT 0;
ALTER TABLE traces ADD COLUMN is_corrected INTEGER NOT NULL DEFAULT 0;
UPDATE traces SET is_corrected = (SELECT r.parent_id IS NOT NULL FROM revisions r WHERE r.id = traces.head_id);
CREATE INDEX traces_accepted ON traces (status, is_plain_lesson, media_kind, has_operation, is_corrected)
    WHERE status = 'accepted';
