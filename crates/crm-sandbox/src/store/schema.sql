-- One database holds one tenant. Date-times are text of one fixed width
-- (2026-05-27T16:04:11.4827193Z); GUIDs are lower case with hyphens.

-- The owners of contacts. `active` is 0 for one that was deactivated, typically
-- by a merge: then `merged_to_id` is the one that took its place.
CREATE TABLE customers (
    id             INTEGER PRIMARY KEY,
    name           TEXT NOT NULL,
    type           TEXT NOT NULL DEFAULT 'Residential',
    street         TEXT NOT NULL DEFAULT '',
    unit           TEXT,
    city           TEXT NOT NULL DEFAULT '',
    state          TEXT NOT NULL DEFAULT '',
    zip            TEXT NOT NULL DEFAULT '',
    country        TEXT NOT NULL DEFAULT 'USA',
    latitude       REAL,
    longitude      REAL,
    do_not_mail    INTEGER NOT NULL DEFAULT 0,
    do_not_service INTEGER NOT NULL DEFAULT 0,
    active         INTEGER NOT NULL DEFAULT 1,
    merged_to_id   INTEGER REFERENCES customers,
    created_on     TEXT NOT NULL DEFAULT '2025-01-01T00:00:00.0000000Z',
    modified_on    TEXT NOT NULL DEFAULT '2025-01-01T00:00:00.0000000Z'
);

CREATE TABLE locations (
    id           INTEGER PRIMARY KEY,
    customer_id  INTEGER NOT NULL REFERENCES customers,
    name         TEXT NOT NULL,
    street       TEXT NOT NULL DEFAULT '',
    unit         TEXT,
    city         TEXT NOT NULL DEFAULT '',
    state        TEXT NOT NULL DEFAULT '',
    zip          TEXT NOT NULL DEFAULT '',
    country      TEXT NOT NULL DEFAULT 'USA',
    latitude     REAL,
    longitude    REAL,
    active       INTEGER NOT NULL DEFAULT 1,
    merged_to_id INTEGER REFERENCES locations,
    created_on   TEXT NOT NULL DEFAULT '2025-01-01T00:00:00.0000000Z',
    modified_on  TEXT NOT NULL DEFAULT '2025-01-01T00:00:00.0000000Z'
);

-- The flags are null together: preferences unknown. `active` is 0 for a
-- deleted contact, which keeps its id and which only the export feed still
-- shows. `owner_id` is the location's or the customer's id; a contact's id is
-- unique per owner.
CREATE TABLE location_contacts (
    owner_id          INTEGER NOT NULL,
    id                INTEGER NOT NULL,
    type              TEXT NOT NULL,
    value             TEXT NOT NULL,
    memo              TEXT,
    job_reminders     INTEGER,
    marketing_updates INTEGER,
    invoices          INTEGER,
    statements        INTEGER,
    active            INTEGER NOT NULL DEFAULT 1,
    created_on        TEXT NOT NULL,
    modified_on       TEXT NOT NULL,
    PRIMARY KEY (owner_id, id)
) WITHOUT ROWID;

CREATE TABLE customer_contacts (
    owner_id          INTEGER NOT NULL,
    id                INTEGER NOT NULL,
    type              TEXT NOT NULL,
    value             TEXT NOT NULL,
    memo              TEXT,
    job_reminders     INTEGER,
    marketing_updates INTEGER,
    invoices          INTEGER,
    statements        INTEGER,
    active            INTEGER NOT NULL DEFAULT 1,
    created_on        TEXT NOT NULL,
    modified_on       TEXT NOT NULL,
    PRIMARY KEY (owner_id, id)
) WITHOUT ROWID;

-- Numbers that opted out of text messages: doNotText belongs to the number.
CREATE TABLE do_not_text (
    number TEXT PRIMARY KEY
) WITHOUT ROWID;

CREATE TABLE bookings (
    id          INTEGER PRIMARY KEY,
    provider_id INTEGER NOT NULL
);

CREATE TABLE booking_contacts (
    booking_id  INTEGER NOT NULL REFERENCES bookings,
    id          INTEGER NOT NULL,
    type        TEXT NOT NULL,
    value       TEXT NOT NULL,
    memo        TEXT,
    active      INTEGER NOT NULL DEFAULT 1,
    modified_on TEXT NOT NULL,
    PRIMARY KEY (booking_id, id)
) WITHOUT ROWID;

-- The contacts of Contacts v2.
CREATE TABLE people (
    id           TEXT PRIMARY KEY,
    reference_id TEXT,
    name         TEXT,
    title        TEXT,
    is_archived  INTEGER NOT NULL DEFAULT 0,
    created_on   TEXT NOT NULL,
    created_by   INTEGER NOT NULL,
    modified_on  TEXT NOT NULL,
    modified_by  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE contact_methods (
    id           TEXT PRIMARY KEY,
    person_id    TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
    reference_id TEXT,
    type         TEXT NOT NULL,
    value        TEXT NOT NULL,
    memo         TEXT,
    created_on   TEXT NOT NULL,
    created_by   INTEGER NOT NULL,
    modified_on  TEXT NOT NULL,
    modified_by  INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE preference_types (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL UNIQUE COLLATE NOCASE,
    description TEXT,
    data_type   TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE method_preferences (
    method_id TEXT NOT NULL REFERENCES contact_methods ON DELETE CASCADE,
    type_id   TEXT NOT NULL REFERENCES preference_types,
    value     TEXT,
    PRIMARY KEY (method_id, type_id)
) WITHOUT ROWID;

CREATE TABLE relationships (
    id                TEXT PRIMARY KEY,
    person_id         TEXT NOT NULL REFERENCES people ON DELETE CASCADE,
    related_entity_id INTEGER NOT NULL,
    type_slug         TEXT NOT NULL,
    created_on        TEXT NOT NULL,
    created_by        INTEGER NOT NULL,
    UNIQUE (person_id, related_entity_id, type_slug)
) WITHOUT ROWID;
