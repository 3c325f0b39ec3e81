-- The single updates that crm sent for one desk. application_id is 0x43524D55 ('CRMU'),
-- user_version the format's version.
CREATE TABLE updates (
    id          INTEGER PRIMARY KEY,
    at          TEXT NOT NULL,     -- when it was recorded, before it was sent: RFC 3339
    user        TEXT NOT NULL,     -- whose process sent it, as the system knows
    command     TEXT NOT NULL,     -- as in `crm location-contacts update`
    method      TEXT NOT NULL,     -- of HTTP
    path        TEXT NOT NULL,     -- with its query
    owner_kind  TEXT,              -- customer, location, person or booking
    owner_id    TEXT,
    contact_id  TEXT,              -- of a contact or a contact method; null: to be created
    changes     TEXT NOT NULL,     -- JSON array: field, before, after
    state       TEXT NOT NULL,     -- in-flight, done, failed, not-sent, unknown
    ended_at    TEXT,
    http_status INTEGER,
    trace_id    TEXT,
    message     TEXT
) STRICT;
CREATE INDEX updates_by_record ON updates (owner_kind, owner_id, contact_id);

-- Sets that were applied for the account of the desk, also from elsewhere.
CREATE TABLE runs (
    file TEXT PRIMARY KEY,
    at   TEXT NOT NULL,         -- when it was first applied
    last TEXT NOT NULL          -- when it was last known to be applied
) STRICT, WITHOUT ROWID;
