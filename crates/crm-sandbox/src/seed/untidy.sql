-- Beside the demo data: contacts as years of typing leave them, which an audit can mend. No combined
-- flag contradicts the two that it is made of, since the sandbox computes it.

-- One number in two spellings, of which one is to stay; and an address in a telephone's type.
INSERT INTO location_contacts
    (owner_id, id, type, value, memo, job_reminders, marketing_updates, invoices, statements, active, created_on, modified_on)
VALUES
    (2012, 3201, 'MobilePhone', '(818) 555-0161', NULL, 1, 1, 0, 0, 1, '2025-03-01T08:00:00.0000000Z', '2025-03-01T08:00:00.0000000Z'),
    (2012, 3202, 'MobilePhone', '8185550161', 'Caretaker', 1, 1, 0, 0, 1, '2025-06-01T08:00:00.0000000Z', '2025-06-01T08:00:00.0000000Z'),
    (2012, 3203, 'Phone', 'yard@cornerbooks.example', 'Yard', 1, 0, 1, 1, 1, '2025-06-02T08:00:00.0000000Z', '2025-06-02T08:00:00.0000000Z');

-- Numbers that are not stored as digits, and one address three times.
INSERT INTO customer_contacts
    (owner_id, id, type, value, memo, job_reminders, marketing_updates, invoices, statements, active, created_on, modified_on)
VALUES
    (1010, 4201, 'Phone', '+1 818-555-0162', 'Till', 1, 1, 1, 1, 1, '2025-03-01T09:00:00.0000000Z', '2025-03-01T09:00:00.0000000Z'),
    (1010, 4202, 'Fax', '818.555.0163', NULL, 0, 0, 1, 1, 1, '2025-03-02T09:00:00.0000000Z', '2025-03-02T09:00:00.0000000Z'),
    (1010, 4203, 'Email', 'orders@cornerbooks.example', NULL, 1, 1, 1, 1, 1, '2025-03-03T09:00:00.0000000Z', '2025-03-03T09:00:00.0000000Z'),
    (1010, 4204, 'Email', 'Orders@CornerBooks.example', NULL, 1, 1, 1, 1, 1, '2025-04-03T09:00:00.0000000Z', '2025-04-03T09:00:00.0000000Z'),
    (1010, 4205, 'Email', 'orders@cornerbooks.example', 'Orders', 1, 1, 1, 1, 1, '2025-05-03T09:00:00.0000000Z', '2025-05-03T09:00:00.0000000Z');
