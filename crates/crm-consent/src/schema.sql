CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
    -- 1, 2, 3 and so on.
    number     INTEGER PRIMARY KEY,
    -- The hash of the record before, and that of this one, which is over all that follows.
    previous   BLOB NOT NULL,
    hash       BLOB NOT NULL,
    -- wish, again, import, retraction, policy, override, key, seal, stamp, redaction
    kind       TEXT NOT NULL,
    -- When it was written, in UTC, and by which user of the system.
    at         TEXT NOT NULL,
    by         TEXT NOT NULL,
    -- Of a wish, its import; of what is said of another record, that one.
    subject    INTEGER,
    -- The value's key as a keyed digest, by which it is found, and that of its other reading.
    digest     BLOB,
    otherwise  BLOB,
    -- What is no personal data, as JSON.
    facts      TEXT NOT NULL,
    -- SHA-256 over the salt and the personal data.
    commitment BLOB,
    -- These two are not in the hash, so that they can be removed.
    salt       BLOB,
    personal   TEXT
) STRICT;

CREATE INDEX records_by_digest ON records (digest) WHERE digest IS NOT NULL;
CREATE INDEX records_by_otherwise ON records (otherwise) WHERE otherwise IS NOT NULL;
CREATE INDEX records_again ON records (subject) WHERE kind = 'again';
CREATE INDEX records_retractions ON records (subject) WHERE kind = 'retraction';
CREATE INDEX records_imports ON records (number) WHERE kind = 'import';
CREATE INDEX records_policies ON records (number) WHERE kind = 'policy';
CREATE INDEX records_keys ON records (number) WHERE kind = 'key';
CREATE INDEX records_seals ON records (number) WHERE kind = 'seal';
CREATE INDEX records_stamps ON records (subject) WHERE kind = 'stamp';
CREATE INDEX records_redactions ON records (number) WHERE kind = 'redaction';
