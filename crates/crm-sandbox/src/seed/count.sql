-- `seed_size.contacts` location contacts, all columns computed from the number i.
CREATE TEMP TABLE numbers AS
WITH RECURSIVE numbers (i) AS (
    SELECT 0 WHERE (SELECT contacts FROM seed_size) > 0
    UNION ALL
    SELECT i + 1 FROM numbers WHERE i + 1 < (SELECT contacts FROM seed_size)
)
SELECT i FROM numbers;

CREATE TEMP TABLE places (n INTEGER PRIMARY KEY, given TEXT, family TEXT, street TEXT, city TEXT, zip INTEGER);
INSERT INTO places VALUES
    (0, 'Ada', 'Quill', 'Alder Street', 'Glendale', 91201),
    (1, 'Bo', 'Lindqvist', 'Beacon Drive', 'Pasadena', 91101),
    (2, 'Cleo', 'Marsh', 'Canal Court', 'Burbank', 91501),
    (3, 'Dov', 'Amsel', 'Dune Road', 'Torrance', 90501),
    (4, 'Esme', 'Halden', 'Elm Avenue', 'Long Beach', 90801),
    (5, 'Finn', 'Okafor', 'Foundry Lane', 'Whittier', 90601),
    (6, 'Gia', 'Moreau', 'Garden Way', 'Venice', 90291),
    (7, 'Hugo', 'Sato', 'Harbor Street', 'San Pedro', 90731);

-- Every 40th customer was deactivated, every other one of these by a merge; every ninth location
-- has a blank name.
INSERT INTO customers
    (id, name, type, street, city, state, zip, do_not_mail, active, merged_to_id, created_on, modified_on)
SELECT
    1 + i / 4,
    CASE WHEN i % 20 = 0 THEN named.family || ' Holdings ' || (1 + i / 4)
         ELSE here.given || ' ' || named.family END,
    CASE WHEN i % 20 = 0 THEN 'Commercial' ELSE 'Residential' END,
    (1 + i % 9973) || ' ' || here.street,
    named.city,
    'CA',
    named.zip + i % 7,
    i % 52 = 0,
    i % 160 <> 156,
    CASE WHEN i % 320 = 156 THEN i / 4 END,
    strftime('%Y-%m-%dT%H:%M:%S', 1735689600 + i, 'unixepoch') || '.0000000Z',
    strftime('%Y-%m-%dT%H:%M:%S', 1735689600 + i, 'unixepoch') || '.5000000Z'
FROM numbers
JOIN places here ON here.n = i / 4 % 8
JOIN places named ON named.n = i / 32 % 8
WHERE i % 4 = 0;

INSERT INTO locations
    (id, customer_id, name, street, city, state, zip, active, merged_to_id, created_on, modified_on)
SELECT id, id, CASE WHEN id % 9 = 0 THEN '' ELSE name END, street, city, state, zip, active,
    merged_to_id, created_on, modified_on
FROM customers;

DROP TABLE places;

INSERT INTO location_contacts
    (owner_id, id, type, value, memo, job_reminders, marketing_updates, invoices, statements, active, created_on, modified_on)
SELECT
    1 + i / 4,
    1 + i,
    CASE i % 4 WHEN 0 THEN 'MobilePhone' WHEN 1 THEN 'Email' WHEN 2 THEN 'Phone' ELSE 'Email' END,
    CASE WHEN i % 2 = 0 THEN printf('%010d', 2000000000 + i)
         ELSE printf('person%d@household.example', i) END,
    CASE WHEN i % 3 = 0 THEN NULL ELSE 'Contact ' || i END,
    CASE WHEN i % 5 = 4 THEN NULL ELSE 1 END,
    CASE WHEN i % 5 = 4 THEN NULL ELSE i % 3 <> 0 END,
    CASE WHEN i % 5 = 4 THEN NULL ELSE i % 2 END,
    CASE WHEN i % 5 = 4 THEN NULL ELSE 1 END,
    1,
    strftime('%Y-%m-%dT%H:%M:%S', 1735689600 + i, 'unixepoch') || '.0000000Z',
    strftime('%Y-%m-%dT%H:%M:%S', 1735689600 + i, 'unixepoch') || printf('.%07dZ', i % 10000000)
FROM numbers;

INSERT INTO customer_contacts
SELECT * FROM location_contacts WHERE id % 10 = 1;

DROP TABLE numbers;
DROP TABLE seed_size;
