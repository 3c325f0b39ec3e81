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
CREATE INDEX unreadable_by_id ON unreadable (owner_kind, owner_id, contact_id)
