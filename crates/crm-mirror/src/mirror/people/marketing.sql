-- Whether contact methods receive marketing, as it was read of single ones. No list tells it, so it
-- is as old as it says; the table is made with the first of them.
CREATE TABLE IF NOT EXISTS method_marketing (
    guid     BLOB PRIMARY KEY,
    receives INTEGER NOT NULL,
    read_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
