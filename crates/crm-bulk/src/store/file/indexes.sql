CREATE INDEX planned_by_record ON planned (owner_kind, owner_id, contact_id, verdict);
CREATE INDEX planned_repeats ON planned (id) WHERE repeats IS NOT NULL
