-- While a deferred reference is open, as between a trace and its first revision, SQLite looks for rows that a new one
-- might be the missing target of: without these indexes each new trace would scan all that are there.
CREATE INDEX traces_by_head ON traces (head_id);
CREATE INDEX revisions_by_parent ON revisions (parent_id);
CREATE INDEX job_revisions_by_revision ON job_revisions (revision_id);
CREATE INDEX drafts_by_base ON drafts (base_revision_id);
CREATE INDEX preferences_by_chosen ON preferences (chosen_id);
CREATE INDEX preferences_by_rejected ON preferences (rejected_id);
CREATE INDEX adjudications_by_trace ON adjudications (trace_id);
