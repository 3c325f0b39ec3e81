-- Whose the set is: one row from the first run on.
CREATE TABLE owner (
    only     INTEGER PRIMARY KEY CHECK (only = 1),
    epoch    INTEGER NOT NULL,       -- raised by each taking: a run of an older one writes nothing
    name     TEXT NOT NULL,          -- the owner, for people
    boot     TEXT NOT NULL,          -- which boot of the machine it is on; empty: not known
    lease    INTEGER NOT NULL,       -- for how many milliseconds each renewal makes it last
    beat     INTEGER NOT NULL,       -- raised by each renewal
    path     TEXT,                   -- where its run is open; null: it ended and all is in this file
    device   INTEGER,                -- which file that was
    inode    INTEGER
) STRICT;

-- What was approved, and what has become of it, by check values.
ALTER TABLE changes ADD COLUMN verdict TEXT;  -- the state that the plan gave the change
ALTER TABLE changes ADD COLUMN found TEXT;    -- JSON: the record just before the write, where it
                                              -- was not as in `before`, which stays as planned
ALTER TABLE changes ADD COLUMN digest BLOB;   -- SHA-256 over verdict, record, action, wanted and
                                              -- before; null in a set of version 1 that nobody has
                                              -- looked at
ALTER TABLE changes ADD COLUMN seal INTEGER;  -- check value over all the other columns

-- meta has two more: digest, over tenant, environment and the digests of all changes, and
-- unknown_flags (on or off), what flags become that the service does not tell.

-- What the last reading back found to be no longer so; meta has its totals, as verification.
CREATE TABLE findings (
    change     INTEGER PRIMARY KEY,  -- changes.id
    at         TEXT NOT NULL,        -- when its record was read, RFC 3339
    found      TEXT NOT NULL,        -- differs, gone, back, unread
    difference TEXT NOT NULL         -- for people
) STRICT;

DROP VIEW outcomes;
CREATE VIEW outcomes AS
SELECT c.id, c.row, c.owner_kind, c.owner_id, o.contact_id, c.action, c.wanted, o.before, o.found,
       o.after, o.state, coalesce(c.message || '; ' || o.message, c.message, o.message) AS message,
       o.field_errors, o.trace_id, o.http_status, o.at, o.attempts
FROM changes c JOIN changes o ON o.id = c.repeats
UNION ALL
SELECT id, row, owner_kind, owner_id, contact_id, action, wanted, before, found,
       after, state, message, field_errors, trace_id, http_status, at, attempts
FROM changes WHERE repeats IS NULL;

-- What a change of a contact wants has the API's names, as everywhere else. A member that is null in
-- the patch is removed, so that flags that were not named stay so.
UPDATE changes SET wanted = json_patch(
    json_remove(wanted, '$.jobReminders', '$.marketingUpdates', '$.invoices', '$.statements'),
    json_object('preferences', json_object(
        'jobRemindersEnabled', json(wanted -> '$.jobReminders'),
        'marketingUpdatesEnabled', json(wanted -> '$.marketingUpdates'),
        'invoiceNotification', json(wanted -> '$.invoices'),
        'statementNotification', json(wanted -> '$.statements'))))
WHERE owner_kind <> 'person'
  AND coalesce(wanted -> '$.jobReminders', wanted -> '$.marketingUpdates',
               wanted -> '$.invoices', wanted -> '$.statements') IS NOT NULL
