-- How many changes were open when a worker began the set last: one that gets on is not given up, however
-- often its workers die.
ALTER TABLE crm.jobs ADD COLUMN open_before bigint;
