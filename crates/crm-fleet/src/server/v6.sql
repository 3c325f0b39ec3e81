-- Which beginning a job is at: only the worker that began it last says how it ended.
ALTER TABLE crm.jobs ADD COLUMN begun bigint NOT NULL DEFAULT 0;
ALTER TABLE crm.desk_jobs ADD COLUMN begun bigint NOT NULL DEFAULT 0;
