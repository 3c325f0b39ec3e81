-- A change has a row in `planned`, which is written once, and from its first claim on one in
-- `progress`. Both say in numbers what the view `changes` says in words:
--   owner_kind    0 customer, 1 location, 2 person
--   action        0 update, 1 create, 2 delete, 3 method-preferences
--   state         0 planned, 1 done, 2 already, 3 in-flight, 4 failed, 5 unknown, 6 drifted,
--                 7 not-found, 8 conflict, 9 dropped, 10 held
--   contact_type  0 Phone, 1 MobilePhone, 2 Email, 3 Fax, or a text
--   flags         1 job reminders, 2 marketing updates, 4 invoices and statements, 8 invoices,
--                 16 statements; 256 times those that the service did not tell, of these five; null:
--                 none
--   times         hundreds of nanoseconds since the year 1, as the service counts them; a text
--                 where that is not exact

DROP VIEW outcomes;
ALTER TABLE changes RENAME TO changes_of_version_1;
DROP INDEX IF EXISTS changes_by_record;

-- What was planned.
CREATE TABLE planned (
    id           INTEGER PRIMARY KEY,
    row          INTEGER,            -- rows.row; null: no single row asks for it
    repeats      INTEGER,            -- planned.id of the same change for an earlier row, which is
                                     -- carried out for both
    owner_kind   INTEGER NOT NULL,
    owner_id     ANY NOT NULL,       -- number, or GUID of the person
    contact_id   ANY,                -- number, or GUID of the contact method; null: to be created
    action       INTEGER NOT NULL,
    verdict      INTEGER NOT NULL,   -- the state that the plan gave the change
    note         TEXT,               -- why: it was planned, or it has another verdict
    wanted_type  ANY,                -- the members to set
    wanted_value TEXT,
    wanted_memo  TEXT,
    wanted_flags INTEGER,            -- the flags that are on; 256 times those that are named;
                                     -- 65536: the value counts letter by letter
    wanted_more  TEXT,               -- JSON: cleared_by, extension, refused, carrier (the
                                     -- contact that has to have the memo first); of a contact method
                                     -- the preferences to set, by name; of a deletion the contact
                                     -- that has to stand in, with its value
    contact_type ANY,                -- the record as the plan saw it
    value        TEXT,               -- null: there was none
    memo         TEXT,
    flags        INTEGER,
    phone        INTEGER,            -- phoneSettings: doNotText 0 not told, 1 false, 2 true; and 3
                                     -- without phoneNumber, 6 with another one than the value
    modified_on  ANY,
    created_on   ANY,                -- how long before modified_on; a text says when
    extra        TEXT,               -- JSON: members that have no column
    beside       TEXT,               -- JSON array: contacts that had the value beside a deleted
                                     -- one that is restored
    digest       BLOB,               -- SHA-256 over verdict, record, action, wanted and record as
                                     -- seen; null in a set of version 1 that nobody looked at
    planned_seal INTEGER             -- check value over all the other columns
) STRICT;

-- What has become of it.
CREATE TABLE progress (
    change       INTEGER PRIMARY KEY, -- planned.id
    state        INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,   -- how many times it was claimed
    at           ANY,                -- when the state was reached
    http_status  INTEGER,
    trace_id     TEXT,
    message      TEXT,
    field_errors TEXT,               -- JSON: what the API said of single members
    created_id   ANY,                -- the id that a created contact received
    siblings     TEXT,               -- JSON array: contacts that had the value before it was sent
    found        TEXT,               -- JSON: the record just before the write, where it was not as
                                     -- planned
    after        TEXT,               -- JSON: the record as the API answered the write; with
                                     -- after_modified_on only the members that are not as they
                                     -- were and were to become
    after_modified_on ANY,
    seal         INTEGER             -- check value over all the other columns
) STRICT;

-- How many changes are in each state, and how many calls those are without reading the owners:
-- for people who ask how far the set is. A run counts for itself.
CREATE TABLE totals (
    action  INTEGER NOT NULL,
    state   INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    calls   INTEGER NOT NULL,
    PRIMARY KEY (action, state)
) STRICT, WITHOUT ROWID;

-- The input as it was, row by row.
ALTER TABLE rows RENAME TO rows_of_version_1;
CREATE TABLE rows (
    row         INTEGER PRIMARY KEY, -- 1 is the first row below the header
    other_lines INTEGER NOT NULL,    -- how many lines before it are no rows of their own: with the row,
                                     -- the line on which it starts
    data        TEXT NOT NULL,       -- csv: its cells, between commas; ndjson: the line
    state       TEXT,                -- only for a row without changes: not-found, or failed for
                                     -- a row that is wrong and was left out
    message     TEXT,                -- why, or what else is to be said of the row
    look_at     INTEGER NOT NULL DEFAULT 0 -- 1: the message names records about which a person has to
                                     -- decide; version 0.1 said so in the message alone
) STRICT;

CREATE INDEX rows_by_state ON rows (state) WHERE state IS NOT NULL;

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
    inode    INTEGER,
    journal_index INTEGER            -- the inode of the index of its journal
) STRICT;

-- meta has more: version, of the crate that planned the set; options, what was chosen for it (JSON
-- array of words for people); planned_by, whose process planned it, as the system knows; digest, over
-- tenant, environment and the digests of all changes; undo_of_created_at, when the set was planned
-- that this one reverses, and undo_of_epoch, the epoch of its owner, where all that is reversed had
-- been done by then; unknown_flags (on or off), what flags become that the service does not tell;
-- owners and open, of how many owners how many changes were open when the totals were counted;
-- values_listed and values_found, how many different numbers and addresses a list has, and how many of
-- them were found.

-- What the last reading back found to be no longer so; meta has its totals, as verification.
CREATE TABLE findings (
    change     INTEGER PRIMARY KEY,  -- planned.id
    at         TEXT NOT NULL,        -- when its record was read, RFC 3339
    found      TEXT NOT NULL,        -- differs, gone, back, unread
    difference TEXT NOT NULL         -- for people
) STRICT;

-- What people decided about the set once it was planned.
CREATE TABLE decisions (
    id      INTEGER PRIMARY KEY,
    kind    TEXT NOT NULL,           -- dropped, approved, applied
    at      TEXT NOT NULL,           -- RFC 3339
    user    TEXT NOT NULL,           -- whose process it was, as the system knows
    said    TEXT,                    -- who decided, as somebody said
    reason  TEXT,                    -- of a run, what was chosen for it
    digest  TEXT NOT NULL,           -- of the set from then on
    changes INTEGER NOT NULL         -- how many it is about
) STRICT;

-- Each town once, since many owners live in few.
CREATE TABLE towns (
    id   INTEGER PRIMARY KEY,
    town TEXT NOT NULL UNIQUE
) STRICT;

-- What people recognize the owners by, as read when the set was planned. No part of its digest.
CREATE TABLE owners (
    kind        INTEGER NOT NULL,    -- as planned.owner_kind
    id          INTEGER NOT NULL,    -- as planned.owner_id
    name        TEXT NOT NULL,       -- the street where there is no name
    town        INTEGER NOT NULL,    -- towns.id
    is_inactive INTEGER,             -- 1: deactivated or merged
    merged_to   INTEGER,             -- the owner into which it was merged
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

-- The changes as their rows see them: one that repeats another has the outcome of that.
CREATE VIEW outcomes AS
SELECT c.id, c.row, o.repeats, o.owner_kind, o.owner_id, o.contact_id, o.action, o.verdict,
       o.note,
       o.wanted_type, o.wanted_value, o.wanted_memo, o.wanted_flags, o.wanted_more,
       o.contact_type, o.value, o.memo, o.flags, o.phone, o.modified_on, o.created_on, o.extra,
       o.beside, o.digest, o.planned_seal,
       p.change, coalesce(p.state, o.verdict) AS state, p.attempts, p.at, p.http_status, p.trace_id,
       -- The note of what was planned says why, and not what became of it.
       coalesce(iif(c.repeats, c.note, NULL)
                    || '; ' || iif(p.change, p.message, iif(o.verdict, o.note, NULL)),
                iif(c.repeats, c.note, NULL),
                iif(p.change, p.message, iif(o.verdict, o.note, NULL))) AS message,
       p.field_errors, p.created_id, p.siblings, p.found, p.after, p.after_modified_on, p.seal
FROM planned c JOIN planned o ON o.id = coalesce(c.repeats, c.id)
    LEFT JOIN progress p ON p.change = o.id;

-- For people: the records of each change in the API's form, as the plan saw them and as they were
-- answered. 62135596800 are the seconds from the year 1 to 1970, where SQLite's own count begins.
-- Of the flags 251 are those that can be set, which is all eight but 4, and 28 those of invoices and
-- statements (4 + 8 + 16); 64256 is 256 * 251: one that can be set is named. The inner json_patch on
-- '{}' leaves out members that are null, as RFC 7396 says.
CREATE VIEW records AS
SELECT id, moment, json_patch(json_patch(
           iif(modified_on IS NULL, json_object('type', CASE contact_type WHEN 0 THEN 'Phone' WHEN 1 THEN 'MobilePhone' WHEN 2 THEN 'Email'
               WHEN 3 THEN 'Fax' ELSE contact_type END, 'value', value),
               json_object('id', contact_id, 'type', CASE contact_type WHEN 0 THEN 'Phone' WHEN 1 THEN 'MobilePhone' WHEN 2 THEN 'Email'
               WHEN 3 THEN 'Fax' ELSE contact_type END,
               'value', value, 'memo', memo,
               'phoneSettings', json(iif(phone IS NULL, NULL, json_patch('{}', json_object(
                   'phoneNumber', CASE phone / 3 WHEN 0 THEN value
                       WHEN 2 THEN extra ->> '$.phoneNumber' END,
                   'doNotText', json(CASE phone % 3 WHEN 1 THEN 'false' WHEN 2 THEN 'true' END)
               )))),
               'modifiedOn', iif(typeof(modified_on) <> 'integer', modified_on,
               strftime('%Y-%m-%dT%H:%M:%S', modified_on / 10000000 - 62135596800, 'unixepoch')
               || rtrim(rtrim(printf('.%07d', modified_on % 10000000), '0'), '.') || 'Z'),
               'createdOn', iif(typeof(created_on) <> 'integer', created_on,
               strftime('%Y-%m-%dT%H:%M:%S', created_on / 10000000 - 62135596800, 'unixepoch')
               || rtrim(rtrim(printf('.%07d', created_on % 10000000), '0'), '.') || 'Z'),
               'preferences', json(iif(flags IS NULL, NULL, json_patch('{}', json_object(
                   'jobRemindersEnabled', json(iif(flags & 1, 'true', 'false')),
                   'marketingUpdatesEnabled', json(iif(flags & 2, 'true', 'false')),
                   'invoiceStatementNotification', json(iif(flags & 4, 'true', 'false')),
                   'invoiceNotification', json(iif(flags & 2048, NULL, iif(flags & 8, 'true', 'false'))),
                   'statementNotification', json(iif(flags & 4096, NULL, iif(flags & 16, 'true', 'false')))
               )))))),
           -- What was answered otherwise is as answered, as a whole.
           (SELECT json_group_object(key, NULL) FROM json_each(besides))),
           json_patch(coalesce(json_remove(extra, '$.phoneNumber'), '{}'), coalesce(besides, '{}'))
       ) AS record
FROM (
    SELECT id, 'before' AS moment, contact_id, contact_type, value, memo, flags, phone, modified_on,
           iif(typeof(created_on) = 'integer', modified_on - created_on, created_on) AS created_on,
           extra, NULL AS besides
    FROM planned WHERE value IS NOT NULL
    UNION ALL
    -- What the plan saw, with what was wanted; the combined flag is on where both others are.
    SELECT id, 'after', contact_id, coalesce(wanted_type, contact_type),
           coalesce(wanted_value, value), iif(wanted_memo IS NULL, memo, nullif(wanted_memo, '')),
           CASE WHEN coalesce(wanted_flags & 64256, 0) = 0 THEN flags
               WHEN becomes & 24 = 24 THEN becomes | 4
               ELSE becomes & iif(becomes & 2048, ~28, ~4) END,
           phone, after_modified_on,
           iif(typeof(created_on) = 'integer', modified_on - created_on, created_on), extra, after
    FROM (SELECT *, (flags & ~(wanted_flags >> 8 & 251)) | (wanted_flags & 251) AS becomes
          FROM planned JOIN progress ON change = id WHERE after_modified_on IS NOT NULL)
);

-- For people: the changes in words.
CREATE VIEW changes AS
SELECT id, row, repeats,
       CASE owner_kind WHEN 0 THEN 'customer' WHEN 1 THEN 'location' ELSE 'person' END AS owner_kind,
       owner_id, coalesce(created_id, contact_id) AS contact_id,
       CASE action WHEN 0 THEN 'update' WHEN 1 THEN 'create' WHEN 2 THEN 'delete'
           ELSE 'method-preferences' END AS action,
       iif(action = 2, wanted_more, json_patch(
           json_patch('{}', json_object('type', CASE wanted_type WHEN 0 THEN 'Phone' WHEN 1 THEN 'MobilePhone' WHEN 2 THEN 'Email'
               WHEN 3 THEN 'Fax' ELSE wanted_type END,
               'value', wanted_value, 'memo', wanted_memo,
               'preferences', json(iif(wanted_flags & 64256, json_patch('{}', json_object(
                   'jobRemindersEnabled',
                   json(iif(wanted_flags & 256, iif(wanted_flags & 1, 'true', 'false'), NULL)),
                   'marketingUpdatesEnabled',
                   json(iif(wanted_flags & 512, iif(wanted_flags & 2, 'true', 'false'), NULL)),
                   'invoiceNotification',
                   json(iif(wanted_flags & 2048, iif(wanted_flags & 8, 'true', 'false'), NULL)),
                   'statementNotification',
                   json(iif(wanted_flags & 4096, iif(wanted_flags & 16, 'true', 'false'), NULL))
               )), NULL)),
               'combined', json(iif(wanted_flags & 1024, iif(wanted_flags & 4, 'true', 'false'), NULL)),
               'exact', json(iif(wanted_flags & 65536, 'true', NULL)))),
           coalesce(wanted_more, '{}'))) AS wanted,
       (SELECT record FROM records WHERE records.id = planned.id AND moment = 'before') AS before,
       found,
       iif(after_modified_on IS NULL, after,
           (SELECT record FROM records WHERE records.id = planned.id AND moment = 'after')) AS after,
       coalesce(siblings, beside) AS siblings,
       CASE coalesce(state, verdict) WHEN 0 THEN 'planned' WHEN 1 THEN 'done' WHEN 2 THEN 'already'
           WHEN 3 THEN 'in-flight' WHEN 4 THEN 'failed' WHEN 5 THEN 'unknown' WHEN 6 THEN 'drifted'
           WHEN 7 THEN 'not-found' WHEN 8 THEN 'conflict' WHEN 9 THEN 'dropped'
           ELSE 'held' END AS state,
       iif(change, message, note) AS message, field_errors, trace_id, http_status,
       iif(typeof(at) <> 'integer', at,
               strftime('%Y-%m-%dT%H:%M:%S', at / 10000000 - 62135596800, 'unixepoch')
               || rtrim(rtrim(printf('.%07d', at % 10000000), '0'), '.') || 'Z') AS at,
       coalesce(attempts, 0) AS attempts
FROM planned LEFT JOIN progress ON change = id
