-- How many writes a day workers send for a tenant at most.

CREATE TABLE crm.caps (
    tenant       bigint NOT NULL,
    environment  text NOT NULL,
    writes_a_day bigint NOT NULL CHECK (writes_a_day > 0),
    day          date NOT NULL DEFAULT '-infinity', -- of UTC, of which the next column tells
    written      bigint NOT NULL DEFAULT 0,         -- with what runs have set aside for themselves
    PRIMARY KEY (tenant, environment)
);
