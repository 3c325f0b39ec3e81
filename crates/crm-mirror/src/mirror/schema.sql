-- A mirror: a tenant's contacts, their owners, and people. application_id is 0x43524D46 ('CRMF'),
-- user_version the format's version.
--
-- An owner is one number: a customer's id, or minus a location's id.
-- A time is a number of 100 ns since 1970, as precise as the service writes it.

-- tenant, environment; keys: of which region and by which data the keys are made; staged_contacts,
-- staged_owners, staged_people: their first load is not complete, and their indexes are yet to be
-- made; coverage: what was counted last; differences_since: since when updates look for differences.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE feeds (
    feed        TEXT PRIMARY KEY,  -- customer-contacts, location-contacts, customers, locations,
                                   -- people, contact-methods
    token       TEXT,              -- where it goes on
    complete_at TEXT,              -- when it was last read to its end
    swept_at    TEXT,              -- of people and methods: when those that are gone were removed
    refused     TEXT               -- why the service did not give it the last time
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    id          INTEGER PRIMARY KEY,
    owner       INTEGER NOT NULL,
    contact_id  INTEGER NOT NULL,  -- unique for its owner
    active      INTEGER NOT NULL,  -- 0: deleted
    kind        ANY NOT NULL,      -- 1 Phone, 2 MobilePhone, 3 Email, 4 Fax, or the text
    flags       INTEGER,           -- a bit for each preference that is on; null: not known
    key         ANY,               -- digits of a number, form of an address; null: the value is it
    otherwise   ANY,               -- the second reading of digits alone
    value       TEXT NOT NULL,
    memo        TEXT,
    modified_on INTEGER,
    created_on  INTEGER,           -- 0: the service does not know it
    texting     INTEGER,           -- 1 told, 2 do not text, 4 with its number
    folded      TEXT,              -- what is searched, if it is not ASCII
    json        TEXT               -- the contact, where the columns cannot say all of it
) STRICT;

CREATE TABLE owners (
    owner       INTEGER PRIMARY KEY,
    active      INTEGER NOT NULL,  -- 0: deactivated or merged
    name        TEXT NOT NULL,
    street      TEXT NOT NULL,
    unit        TEXT,
    city        TEXT NOT NULL,
    state       TEXT NOT NULL,
    zip         TEXT NOT NULL,
    country     TEXT NOT NULL,
    customer    INTEGER,           -- whose location it is
    merged_to   INTEGER,           -- an id of the same kind
    modified_on INTEGER NOT NULL,
    folded      TEXT               -- what is searched, if it is not ASCII
) STRICT;

-- What is gone of people and methods is no longer here.
CREATE TABLE people (
    id          INTEGER PRIMARY KEY,
    guid        BLOB NOT NULL,
    name        TEXT,
    title       TEXT,
    reference   TEXT,
    archived    INTEGER NOT NULL,
    created_on  INTEGER NOT NULL,
    created_by  INTEGER NOT NULL,
    modified_on INTEGER NOT NULL,
    modified_by INTEGER NOT NULL,
    folded      TEXT               -- what is searched, if it is not ASCII
) STRICT;

-- The numbers and addresses of people; kind, key and otherwise as those of contacts.
CREATE TABLE methods (
    id          INTEGER PRIMARY KEY,
    guid        BLOB NOT NULL,
    person      BLOB NOT NULL,     -- whose it is, by the GUID
    kind        ANY NOT NULL,
    key         ANY,
    otherwise   ANY,
    value       TEXT NOT NULL,
    memo        TEXT,
    reference   TEXT,
    created_on  INTEGER NOT NULL,
    created_by  INTEGER NOT NULL,
    modified_on INTEGER NOT NULL,
    modified_by INTEGER NOT NULL,
    folded      TEXT               -- what is searched, if it is not ASCII
) STRICT;

-- Records of the feeds that could not be read when they last came. Of a person or a method the
-- halves of its GUID stand for owner and contact_id.
CREATE TABLE unreadable (
    id         INTEGER PRIMARY KEY,
    feed       TEXT NOT NULL,
    owner      INTEGER,            -- null: not known
    contact_id INTEGER,            -- null: not known, or a record of the owner itself
    reason     TEXT NOT NULL,      -- what is wrong, without personal data
    record     TEXT NOT NULL,      -- as the service wrote it
    UNIQUE (feed, record)
) STRICT;
CREATE INDEX unreadable_by_id ON unreadable (owner, contact_id);

-- Contacts that an update found to be other than the one before.
CREATE TABLE differences (
    id         INTEGER PRIMARY KEY,
    owner      INTEGER NOT NULL,
    contact_id INTEGER NOT NULL,
    since      INTEGER NOT NULL,   -- when it was last seen as before
    until      INTEGER NOT NULL,   -- when it was first seen as then
    kind       INTEGER NOT NULL,   -- 0 created, 1 changed, 2 deleted
    members    TEXT NOT NULL       -- JSON array: name, before, after
) STRICT;
CREATE INDEX differences_by_contact ON differences (owner, contact_id);

CREATE VIEW contact_texts AS
    SELECT id, coalesce(folded, value || char(10) || ifnull(memo, '')) AS text
    FROM contacts WHERE active;
CREATE VIEW owner_texts AS
    SELECT owner, coalesce(folded, name || char(10) || street || ' ' || ifnull(unit || ' ', '')
        || city || ' ' || state || ' ' || zip) AS text
    FROM owners;

CREATE VIEW person_texts AS
    SELECT id, coalesce(folded, ifnull(name, '') || char(10) || ifnull(title, '')) AS text
    FROM people;
CREATE VIEW method_texts AS
    SELECT id, coalesce(folded, value || char(10) || ifnull(memo, '')) AS text FROM methods;

INSERT INTO meta
    VALUES ('staged_contacts', 'yes'), ('staged_owners', 'yes'), ('staged_people', 'yes');
