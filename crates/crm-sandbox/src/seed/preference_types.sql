-- The names are invented: the API does not document them.
INSERT INTO preference_types (id, name, description, data_type) VALUES
    ('0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d01', 'JobReminders', 'Reminders before a visit', 'Bool'),
    ('0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d02', 'MarketingUpdates', 'Offers and news', 'Bool'),
    ('0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d03', 'InvoiceNotification', 'Invoices', 'Bool'),
    ('0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d04', 'StatementNotification', NULL, 'Bool');
