-- Of a set that came after PostgreSQL looked at the tables last, it believes that there is hardly a row, so that
-- any index is as good as another. Knowing nothing of the sets, it takes each for a part of a table like any
-- other. What it knew goes with the type, which stays the same.
ALTER TABLE crm.planned ALTER COLUMN set_id TYPE bigint;
ALTER TABLE crm.planned ALTER COLUMN set_id SET STATISTICS 0;
ALTER TABLE crm.progress ALTER COLUMN set_id TYPE bigint;
ALTER TABLE crm.progress ALTER COLUMN set_id SET STATISTICS 0;
