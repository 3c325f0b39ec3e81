-- A contact on a location of its own, with a type outside the documented four.
INSERT INTO customers (id, name) VALUES (990001, 'Unknown type');
INSERT INTO locations (id, customer_id, name) VALUES (990001, 990001, 'Unknown type');
INSERT INTO location_contacts (owner_id, id, type, value, created_on, modified_on) VALUES
    (990001, 990001, 'Pager', '8185550199', '2026-01-01T00:00:00.0000000Z', '2026-01-01T00:00:00.0000000Z');
