CREATE INDEX changes_by_record ON changes (owner_kind, owner_id, contact_id);
CREATE INDEX changes_by_row ON changes (row);
