-- `seed_size.contacts` location contacts, all columns computed from the number i.
CREATE TEMP TABLE numbers AS
WITH RECURSIVE numbers (i) AS (
    SELECT 0 WHERE (SELECT contacts FROM seed_size) > 0
    UNION ALL
    SELECT i + 1 FROM numbers WHERE i + 1 < (SELECT contacts FROM seed_size)
)
SELECT i FROM numbers;

INSERT INTO customers (id, name)
SELECT 1 + i / 4, 'Customer ' || (1 + i / 4) FROM numbers WHERE i % 4 = 0;

INSERT INTO locations (id, customer_id, name)
SELECT id, id, 'Location ' || id FROM customers;

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
