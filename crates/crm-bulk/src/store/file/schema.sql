-- A change set. application_id is 0x43524D53 ('CRMS'), user_version the format's version.

-- Facts about the set: tenant, environment (API base URL), kind (plan, opt-out, opt-in, undo),
-- created_at, source (name of the input), format (csv or ndjson), header (JSON array of the
-- input's columns), delimiter, quote, known_at (how old the before-images are), undo_of (the set
-- that this one reverses), notes (JSON array of sentences for people).
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The input as it was, row by row.
CREATE TABLE rows (
    row     INTEGER PRIMARY KEY,     -- 1 is the first row below the header
    line    INTEGER NOT NULL,        -- where it starts in the input
    data    TEXT NOT NULL,           -- csv: JSON array of cells; ndjson: the line
    state   TEXT,                    -- only for a row without changes: not-found, or failed for
                                     -- a row that is wrong and was left out
    message TEXT                     -- why, or what else is to be said of the row
) STRICT;

-- The changes that the rows ask for: none, one or many for each row.
CREATE TABLE changes (
    id           INTEGER PRIMARY KEY,
    row          INTEGER,            -- rows.row; null: no single row asks for it
    repeats      INTEGER,            -- changes.id of the same change for an earlier row, which
                                     -- is carried out for both
    owner_kind   TEXT NOT NULL,      -- customer, location or person
    owner_id     ANY NOT NULL,       -- number, or GUID of the person
    contact_id   ANY,                -- number, or GUID of the contact method; null: not created yet
    action       TEXT NOT NULL,      -- update, create, delete, method-preferences
    wanted       TEXT,               -- JSON: the members to set
    before       TEXT,               -- JSON: the record just before the write, in the API's form
    after        TEXT,               -- JSON: the record as the API answered the write
    siblings     TEXT,               -- create, delete: JSON array of contacts that had this value before
    state        TEXT NOT NULL,      -- planned, already, in-flight, done, failed, unknown,
                                     -- drifted, not-found, conflict
    message      TEXT,
    field_errors TEXT,               -- JSON: what the API said of single members
    trace_id     TEXT,
    http_status  INTEGER,
    at           TEXT,               -- when the state was reached, RFC 3339
    attempts     INTEGER NOT NULL DEFAULT 0
) STRICT;

-- The changes as their rows see them: one that repeats another has the outcome of that.
CREATE VIEW outcomes AS
SELECT c.id, c.row, c.owner_kind, c.owner_id, o.contact_id, c.action, c.wanted, o.before, o.after,
       o.state, coalesce(c.message || '; ' || o.message, c.message, o.message) AS message,
       o.field_errors, o.trace_id, o.http_status, o.at, o.attempts
FROM changes c JOIN changes o ON o.id = c.repeats
UNION ALL
SELECT id, row, owner_kind, owner_id, contact_id, action, wanted, before, after,
       state, message, field_errors, trace_id, http_status, at, attempts
FROM changes WHERE repeats IS NULL
