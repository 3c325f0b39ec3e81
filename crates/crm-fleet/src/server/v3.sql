-- When what needs a desk is done by itself. PostgreSQL knows the time zones: so all workers agree.

CREATE TABLE crm.schedules (
    tenant      bigint NOT NULL,
    environment text NOT NULL,
    task        text NOT NULL CHECK (task IN ('mirror', 'consent')),
    every       interval,          -- either this
    at_time     time,              -- or at this time of these days (bit 0: Monday) of this zone
    days        integer,
    zone        text,
    shift       interval NOT NULL, -- so much later: tenants have their turns one after another
    next_at     timestamptz NOT NULL,
    last_at     timestamptz,       -- when it was filed last
    PRIMARY KEY (tenant, environment, task),
    CHECK ((every IS NULL) = (at_time IS NOT NULL AND days > 0 AND zone IS NOT NULL))
);

CREATE INDEX schedules_by_next ON crm.schedules (next_at);

-- The first moment of a schedule after this one. A time of day that clocks leave out is an hour later by
-- them; of one that they show twice it is the second.
CREATE FUNCTION crm.next_time(
    every interval, at_time time, days integer, zone text, shift interval, after timestamptz
) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        -- Counted from the epoch, so that a moment at which nobody was there moves no later one.
        WHEN every IS NOT NULL THEN
            to_timestamp(
                (floor(extract(epoch FROM after - shift) / extract(epoch FROM every)) + 1)
                * extract(epoch FROM every)
            ) + shift
        ELSE (
            SELECT min(moment) FROM (
                SELECT ((day + at_time) AT TIME ZONE zone) + shift AS moment
                FROM generate_series(
                    (after AT TIME ZONE zone)::date::timestamp - interval '1 day',
                    (after AT TIME ZONE zone)::date::timestamp + interval '8 days',
                    interval '1 day'
                ) AS day
                WHERE days & (1 << (extract(isodow FROM day)::integer - 1)) <> 0
            ) AS moments
            WHERE moment > after
        )
    END
$$;
