-- Keys are what crm-values reads; meta `keys` says of which region and by which data, and they are
-- made anew when it is another. A text that cannot be read has the text behind a blank as its key.
ALTER TABLE contacts ADD COLUMN otherwise TEXT;  -- the second reading of digits alone

-- Records of the feeds that could not be read when they last came.
CREATE TABLE unreadable (
    id         INTEGER PRIMARY KEY,
    owner_kind TEXT NOT NULL,      -- customer or location
    owner_id   INTEGER,            -- null: not known
    contact_id INTEGER,            -- null: not known
    reason     TEXT NOT NULL,      -- what is wrong, without personal data
    record     TEXT NOT NULL,      -- as the service wrote it
    UNIQUE (owner_kind, record)
) STRICT;
CREATE INDEX unreadable_by_id ON unreadable (owner_kind, owner_id, contact_id);

-- How many contacts there are of each kind. It is kept with every change of `contacts`, since
-- counting a million of them takes seconds; meta `owners` is the number of customers and locations
-- with a contact that exists.
CREATE TABLE counts (
    active            INTEGER NOT NULL,
    type              TEXT NOT NULL,     -- as in the contact
    preferences_known INTEGER NOT NULL,
    contacts          INTEGER NOT NULL,
    PRIMARY KEY (active, type, preferences_known)
) STRICT, WITHOUT ROWID;
INSERT INTO counts
    SELECT active, contact ->> '$.type', contact ->> '$.preferences' IS NOT NULL, count(*)
    FROM contacts GROUP BY 1, 2, 3;
INSERT INTO meta
    SELECT 'owners', count(*)
    FROM (SELECT DISTINCT owner_kind, owner_id FROM contacts WHERE active)
