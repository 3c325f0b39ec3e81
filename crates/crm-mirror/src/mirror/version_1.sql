-- A snapshot of all contacts. application_id is 0x43524D46 ('CRMF'), user_version the format's
-- version.

-- tenant, environment; customer_token and location_token: where each feed goes on;
-- customer_complete_at and location_complete_at: when each was last read to its end.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    id         INTEGER PRIMARY KEY,
    owner_kind TEXT NOT NULL,      -- customer or location
    owner_id   INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,   -- unique for its owner
    key        TEXT NOT NULL,      -- digits of a number, lower case of an address
    active     INTEGER NOT NULL,   -- 0: deleted
    contact    TEXT NOT NULL       -- JSON, in the API's form
) STRICT;

CREATE UNIQUE INDEX contacts_by_id ON contacts (owner_kind, owner_id, contact_id);
CREATE INDEX contacts_by_key ON contacts (key)
