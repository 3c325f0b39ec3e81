-- Whose the set is: one row from the first run on.
CREATE TABLE owner (
    only  INTEGER PRIMARY KEY CHECK (only = 1),
    epoch INTEGER NOT NULL,          -- raised by each taking: a run of an older one writes nothing
    beat  INTEGER NOT NULL,          -- raised by each renewal of the lease
    name  TEXT NOT NULL              -- the owner, for people
) STRICT;
