-- Change sets of many tenants. What a set's file has in its tables stands here in tables of the same
-- names and columns, with the set's number in front. What SQLite takes as a number or a text in one
-- column is jsonb here, which tells the two apart.

CREATE TABLE crm.sets (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL,        -- for people
    tenant       bigint NOT NULL,
    environment  text NOT NULL,
    arrived_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    handover     text NOT NULL UNIQUE, -- the push that brought it
    place        text NOT NULL DEFAULT 'here' CHECK (place IN ('here', 'leaving', 'gone')),
    pull         text,                 -- the pull that takes it, or took it
    pulled_to    text,                 -- where that put it, for people
    -- Raised by each taking. A transaction with which the owner writes takes FOR SHARE on this row and
    -- finds its epoch, a taking FOR UPDATE: so none of the former owner's is open then.
    epoch        bigint NOT NULL
);

-- One set of a name can be carried out.
CREATE UNIQUE INDEX sets_by_name ON crm.sets (name) WHERE place <> 'gone';

-- The sets that workers are to carry out.
CREATE TABLE crm.jobs (
    set_id         bigint PRIMARY KEY REFERENCES crm.sets ON DELETE CASCADE,
    state          text NOT NULL CHECK (state IN ('queued', 'done', 'held', 'cancelled')),
    reason         text,               -- of the state, or the last failure; for people
    digest         text NOT NULL,      -- with another one it is held
    needs_approval boolean NOT NULL,
    priority       smallint NOT NULL,  -- the lower, the earlier
    submitted_by   text NOT NULL,
    submitted_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    starts         integer NOT NULL DEFAULT 0, -- how often begun since a worker came to an end with it
    failures       integer NOT NULL DEFAULT 0  -- passing ones, one after another
);

-- The tenants of whose sets workers begin nothing more.
CREATE TABLE crm.pauses (
    tenant    bigint PRIMARY KEY, -- 0: of all
    paused_by text NOT NULL,
    reason    text,
    paused_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The run of a set, the last one or the present one.
CREATE TABLE crm.runs (
    set_id       bigint PRIMARY KEY REFERENCES crm.sets ON DELETE CASCADE,
    owner        text NOT NULL,        -- for people
    leased_until timestamptz,          -- null: it ended
    beat         bigint NOT NULL,      -- raised by each renewal
    -- The last transaction that wrote, by which one whose COMMIT was not answered is found out.
    batch        text
);

CREATE TABLE crm.meta (
    set_id bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    name   text NOT NULL,
    value  text NOT NULL,
    PRIMARY KEY (set_id, name)
);

CREATE TABLE crm.rows (
    set_id      bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    "row"       bigint NOT NULL,
    other_lines bigint NOT NULL,
    data        text NOT NULL,
    state       text,
    message     text,
    look_at     bigint NOT NULL,
    PRIMARY KEY (set_id, "row")
);

CREATE TABLE crm.planned (
    set_id       bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    id           bigint NOT NULL,
    "row"        bigint,
    repeats      bigint,
    owner_kind   bigint NOT NULL,
    owner_id     jsonb NOT NULL,
    contact_id   jsonb,
    action       bigint NOT NULL,
    verdict      bigint NOT NULL,
    note         text,
    wanted_type  jsonb,
    wanted_value text,
    wanted_memo  text,
    wanted_flags bigint,
    wanted_more  text,
    contact_type jsonb,
    value        text,
    memo         text,
    flags        bigint,
    phone        bigint,
    modified_on  jsonb,
    created_on   jsonb,
    extra        text,
    beside       text,
    digest       bytea NOT NULL,
    planned_seal bigint NOT NULL,
    PRIMARY KEY (set_id, id)
);

-- In the order in which a run takes them up: on one owner the creations (action 1) come first.
CREATE INDEX planned_by_owner
    ON crm.planned (set_id, owner_kind, owner_id, (action <> 1), id);

CREATE TABLE crm.progress (
    set_id            bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    change            bigint NOT NULL,
    state             bigint NOT NULL,
    attempts          bigint NOT NULL,
    at                jsonb,
    http_status       bigint,
    trace_id          text,
    message           text,
    field_errors      text,
    created_id        jsonb,
    siblings          text,
    found             text,
    after             text,
    after_modified_on jsonb,
    seal              bigint NOT NULL,
    PRIMARY KEY (set_id, change)
) WITH (fillfactor = 70); -- each row is written twice: there is room for the second time

CREATE TABLE crm.totals (
    set_id  bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    action  bigint NOT NULL,
    state   bigint NOT NULL,
    changes bigint NOT NULL,
    calls   bigint NOT NULL,
    PRIMARY KEY (set_id, action, state)
);

CREATE TABLE crm.findings (
    set_id     bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    change     bigint NOT NULL,
    at         text NOT NULL,
    found      text NOT NULL,
    difference text NOT NULL,
    PRIMARY KEY (set_id, change)
);

CREATE TABLE crm.decisions (
    set_id  bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    id      bigint NOT NULL,
    kind    text NOT NULL,
    at      text NOT NULL,
    "user"  text NOT NULL,
    said    text,
    reason  text,
    digest  text NOT NULL,
    changes bigint NOT NULL,
    PRIMARY KEY (set_id, id)
);

CREATE TABLE crm.towns (
    set_id bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    id     bigint NOT NULL,
    town   text NOT NULL,
    PRIMARY KEY (set_id, id)
);

CREATE TABLE crm.owners (
    set_id      bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    kind        bigint NOT NULL,
    id          bigint NOT NULL,
    name        text NOT NULL,
    town        bigint NOT NULL,
    is_inactive bigint,
    merged_to   bigint,
    PRIMARY KEY (set_id, kind, id)
);

-- Answers that came to a run from which the set had been taken meanwhile. They are only added, under
-- no epoch: the new owner reads the record back, and this says whose write it was.
CREATE TABLE crm.answers (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    set_id      bigint NOT NULL REFERENCES crm.sets ON DELETE CASCADE,
    epoch       bigint NOT NULL,      -- of the run that got the answer
    change      bigint NOT NULL,
    attempts    bigint NOT NULL,
    state       text NOT NULL,        -- what the run would have made of the change
    http_status bigint,
    trace_id    text,
    message     text,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX answers_by_set ON crm.answers (set_id, change);
