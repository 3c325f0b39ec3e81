-- When a run claimed something last, by the clock of this server. Whatever was sent, was sent shortly
-- after it.
ALTER TABLE crm.runs ADD COLUMN claimed_at timestamptz;
