-- Jobs that need a tenant's desk. A desk is files: it lies on a home volume, and a job that needs it runs
-- where that is mounted.

CREATE TABLE crm.homes (
    tenant      bigint NOT NULL,
    environment text NOT NULL,
    home        text NOT NULL, -- the name of the volume
    PRIMARY KEY (tenant, environment)
);

-- Which workers have which volumes. A row that is not renewed counts no longer.
CREATE TABLE crm.mounts (
    home    text NOT NULL,
    worker  text NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (home, worker)
);

CREATE TABLE crm.desk_jobs (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant          bigint NOT NULL,
    environment     text NOT NULL,
    task            text NOT NULL CHECK (task IN ('mirror', 'consent', 'plan')),
    state           text NOT NULL DEFAULT 'queued'
                    CHECK (state IN ('queued', 'done', 'held', 'cancelled')),
    reason          text,            -- of the state, or the last failure; for people
    summary         text,            -- what came of it the last time; for people
    set_name        text,            -- plan: what the set is called on the server
    input           bytea,           -- plan: the rows, as long as they are needed
    is_ndjson       boolean NOT NULL DEFAULT false,
    select_by_value boolean NOT NULL DEFAULT false,
    skip_invalid    boolean NOT NULL DEFAULT false,
    submitted_by    text NOT NULL,
    submitted_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    began_at        timestamptz,     -- a worker has it
    ended_at        timestamptz,     -- the last time that a worker came to an end with it
    starts          integer NOT NULL DEFAULT 0, -- how often begun since a worker came to an end with it
    failures        integer NOT NULL DEFAULT 0  -- passing ones, one after another
);

-- A mirror is brought up to date once for all who ask, and so are the wishes carried out.
CREATE UNIQUE INDEX desk_jobs_by_task ON crm.desk_jobs (tenant, environment, task)
    WHERE task <> 'plan';

CREATE INDEX desk_jobs_queued ON crm.desk_jobs (id) WHERE state = 'queued';
