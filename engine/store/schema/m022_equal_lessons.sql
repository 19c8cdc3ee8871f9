-- What would be learned from a trace by a number that equal ones share, so that each is counted once, from an index alone;
-- and the members of a group with the moments of their last change, from theirs.
ALTER TABLE traces ADD COLUMN lesson_key INTEGER NOT NULL DEFAULT 0;
DROP INDEX traces_accepted;
CREATE INDEX traces_accepted ON traces (status, is_plain_lesson, lesson_key, media_kind, has_operation, is_corrected)
    WHERE status = 'accepted';
DROP INDEX traces_by_group;
CREATE INDEX traces_by_group ON traces (group_id, updated_at) WHERE group_id IS NOT NULL;
