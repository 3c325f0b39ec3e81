CREATE INDEX IF NOT EXISTS changes_by_record ON changes (owner_kind, owner_id, contact_id)
