-- The demo data. All of it is invented: 555-01xx numbers and .example domains.
-- The well-known ids are listed in the documentation of the crate.

INSERT INTO customers
    (id, name, type, street, unit, city, state, zip, latitude, longitude, do_not_mail, do_not_service, created_on, modified_on)
VALUES
    (1001, 'Harbor Bakery', 'Commercial', '4 Pier Road', NULL, 'San Pedro', 'CA', '90731', 33.7358, -118.2923, 0, 0, '2025-10-01T08:00:00.0000000Z', '2026-01-10T09:00:00.0000001Z'),
    (1002, 'Quiet Pines Clinic', 'Commercial', '210 Juniper Avenue', 'Suite 3', 'Pasadena', 'CA', '91101', 34.1478, -118.1445, 1, 0, '2025-10-02T08:00:00.0000000Z', '2026-02-11T09:00:00.0000002Z'),
    (1003, 'Oak Street Apartments', 'Commercial', '77 Oak Street', NULL, 'Glendale', 'CA', '91204', NULL, NULL, 0, 0, '2025-10-03T08:00:00.0000000Z', '2026-03-12T09:00:00.0000003Z'),
    (1004, 'Marlow & Daughters', 'Commercial', '15 Tannery Row', NULL, 'Burbank', 'CA', '91502', NULL, NULL, 0, 0, '2025-10-04T08:00:00.0000000Z', '2026-04-13T09:00:00.0000004Z'),
    (1005, 'Lighthouse School', 'Commercial', '900 Beacon Drive', NULL, 'Long Beach', 'CA', '90802', 33.7701, -118.1937, 0, 0, '2025-10-05T08:00:00.0000000Z', '2026-05-14T09:00:00.0000005Z'),
    (1006, 'Cedar Auto Works', 'Commercial', '318 Foundry Lane', 'B', 'Torrance', 'CA', '90501', NULL, NULL, 0, 0, '2025-10-06T08:00:00.0000000Z', '2026-01-15T09:00:00.0000006Z'),
    (1007, 'Blue Door Gallery', 'Commercial', '52 Canal Court', NULL, 'Venice', 'CA', '90291', NULL, NULL, 0, 0, '2025-10-07T08:00:00.0000000Z', '2026-02-16T09:00:00.0000007Z'),
    (1008, 'Riverside Dental', 'Commercial', '640 River Walk', '2nd floor', 'Canoga Park', 'CA', '91303', NULL, NULL, 0, 0, '2025-10-08T08:00:00.0000000Z', '2026-03-17T09:00:00.0000008Z'),
    (1009, 'Halden Farm', 'Residential', '12 Orchard Way', NULL, 'Ojai', 'CA', '93023', NULL, NULL, 0, 1, '2025-10-09T08:00:00.0000000Z', '2026-04-18T09:00:00.0000009Z'),
    (1010, 'Corner Bookshop', 'Commercial', '1 Chapel Square', NULL, 'Whittier', 'CA', '90601', NULL, NULL, 0, 0, '2025-10-10T08:00:00.0000000Z', '2026-05-19T09:00:00.0000010Z');

-- Customer 1011 was merged into 1001, 1012 was deactivated.
INSERT INTO customers
    (id, name, type, street, city, state, zip, active, merged_to_id, created_on, modified_on)
VALUES
    (1011, 'Harbor Bakery (old)', 'Commercial', '4 Pier Road', 'San Pedro', 'CA', '90731', 0, 1001, '2025-09-01T08:00:00.0000000Z', '2026-02-03T10:00:00.0000000Z'),
    (1012, 'Nora Field', 'Residential', '31 Larkspur Lane', 'Glendale', 'CA', '91205', 0, NULL, '0001-01-01T00:00:00.0000000Z', '2026-02-04T10:00:00.0000000Z');

-- The name of location 2012 is blank.
INSERT INTO locations
    (id, customer_id, name, street, unit, city, state, zip, latitude, longitude, created_on, modified_on)
VALUES
    (2001, 1001, 'Harbor Bakery, Pier 4', '4 Pier Road', NULL, 'San Pedro', 'CA', '90731', 33.7358, -118.2923, '2025-10-01T08:30:00.0000000Z', '2026-01-10T09:30:00.0000001Z'),
    (2002, 1001, 'Harbor Bakery, Market Hall', '20 Market Hall', 'Stall 6', 'Long Beach', 'CA', '90802', NULL, NULL, '2025-10-02T08:30:00.0000000Z', '2026-02-11T09:30:00.0000002Z'),
    (2003, 1002, 'Quiet Pines Clinic, main site', '210 Juniper Avenue', 'Suite 3', 'Pasadena', 'CA', '91101', 34.1478, -118.1445, '2025-10-03T08:30:00.0000000Z', '2026-03-12T09:30:00.0000003Z'),
    (2004, 1003, 'Oak Street Apartments, main site', '77 Oak Street', NULL, 'Glendale', 'CA', '91204', NULL, NULL, '2025-10-04T08:30:00.0000000Z', '2026-04-13T09:30:00.0000004Z'),
    (2005, 1004, 'Marlow & Daughters, main site', '15 Tannery Row', NULL, 'Burbank', 'CA', '91502', NULL, NULL, '2025-10-05T08:30:00.0000000Z', '2026-05-14T09:30:00.0000005Z'),
    (2006, 1005, 'Lighthouse School, main site', '900 Beacon Drive', NULL, 'Long Beach', 'CA', '90802', NULL, NULL, '2025-10-06T08:30:00.0000000Z', '2026-01-15T09:30:00.0000006Z'),
    (2007, 1006, 'Cedar Auto Works, main site', '318 Foundry Lane', 'B', 'Torrance', 'CA', '90501', NULL, NULL, '2025-10-07T08:30:00.0000000Z', '2026-02-16T09:30:00.0000007Z'),
    (2008, 1007, 'Blue Door Gallery, main site', '52 Canal Court', NULL, 'Venice', 'CA', '90291', NULL, NULL, '2025-10-08T08:30:00.0000000Z', '2026-03-17T09:30:00.0000008Z'),
    (2009, 1008, 'Riverside Dental, main site', '640 River Walk', '2nd floor', 'Canoga Park', 'CA', '91303', NULL, NULL, '2025-10-09T08:30:00.0000000Z', '2026-04-18T09:30:00.0000009Z'),
    (2010, 1009, 'Halden Farm, main site', '12 Orchard Way', NULL, 'Ojai', 'CA', '93023', NULL, NULL, '2025-10-10T08:30:00.0000000Z', '2026-05-19T09:30:00.0000010Z'),
    (2011, 1010, 'Corner Bookshop, main site', '1 Chapel Square', NULL, 'Whittier', 'CA', '90601', NULL, NULL, '2025-10-11T08:30:00.0000000Z', '2026-01-20T09:30:00.0000011Z'),
    (2012, 1010, '', '8 Mill Yard', NULL, 'Whittier', 'CA', '90602', NULL, NULL, '2025-10-12T08:30:00.0000000Z', '2026-02-21T09:30:00.0000012Z');

-- Location 2013 was merged into 2001, with its customer.
INSERT INTO locations
    (id, customer_id, name, street, city, state, zip, active, merged_to_id, created_on, modified_on)
VALUES
    (2013, 1011, 'Harbor Bakery (old)', '4 Pier Road', 'San Pedro', 'CA', '90731', 0, 2001, '2025-09-01T08:30:00.0000000Z', '2026-02-03T10:00:00.0000000Z');

-- Location 2001: one contact of each kind and each edge case.
INSERT INTO location_contacts
    (owner_id, id, type, value, memo, job_reminders, marketing_updates, invoices, statements, active, created_on, modified_on)
VALUES
    (2001, 3001, 'MobilePhone', '8185550142', 'Site manager, after 4 pm', 1, 1, 1, 1, 1, '2025-11-02T09:15:00.0000000Z', '2026-05-27T16:04:11.4827193Z'),
    (2001, 3002, 'Email', 'office@harborbakery.example', NULL, 1, 0, 1, 1, 1, '2025-11-02T09:15:30.2500000Z', '2026-05-27T16:04:12.5000000Z'),
    (2001, 3003, 'Fax', '8185550143', 'Orders only', 0, 0, 1, 0, 1, '2025-11-03T10:00:00.0000000Z', '2025-11-03T10:00:00.0000000Z'),
    (2001, 3004, 'Phone', '8185550144', 'Front desk', 1, 0, 0, 0, 1, '2025-11-03T10:05:00.0000000Z', '2026-01-15T08:30:00.1234560Z'),
    (2001, 3005, 'Email', 'orders@harborbakery.example', 'Preferences unknown', NULL, NULL, NULL, NULL, 1, '2025-11-04T11:00:00.0000000Z', '2025-11-04T11:00:00.0000000Z'),
    (2001, 3006, 'Phone', '8185550146', 'From the old system', 1, 1, 1, 1, 1, '0001-01-01T00:00:00.0000000Z', '2025-12-01T00:00:00.0000000Z'),
    (2001, 3007, 'MobilePhone', '8185550147', 'Left the company', 1, 1, 1, 1, 0, '2025-10-01T12:00:00.0000000Z', '2026-02-01T12:00:00.0000000Z'),
    (2001, 3008, 'MobilePhone', '2135550177', 'Emergency line, Zoë', 1, 1, 0, 1, 1, '2025-11-05T07:45:00.0000000Z', '2026-03-10T17:20:05.0000001Z');

-- Contact 3001 exists on location 2002 too: ids are unique per owner only.
INSERT INTO location_contacts
    (owner_id, id, type, value, memo, job_reminders, marketing_updates, invoices, statements, active, created_on, modified_on)
VALUES
    (2002, 3001, 'Phone', '8185550151', 'Market stall', 1, 1, 1, 1, 1, '2025-11-06T08:00:00.0000000Z', '2025-11-06T08:00:00.0000000Z'),
    (2002, 3101, 'MobilePhone', '3105550100', 'Ada''s mobile', 1, 0, 1, 0, 1, '2026-01-10T09:00:00.0000000Z', '2026-01-10T09:30:00.0000001Z'),
    (2002, 3102, 'Email', 'ada@harborbakery.example', 'Ada, accounts', NULL, NULL, NULL, NULL, 1, '2026-01-10T10:00:00.0000000Z', '2026-01-10T10:00:00.0000000Z'),
    (2002, 3103, 'Phone', '3105550120', NULL, 0, 0, 0, 0, 1, '2026-01-10T11:00:00.0000000Z', '2026-01-10T11:15:00.5000000Z'),
    (2003, 3104, 'MobilePhone', '3105550101', 'Bo''s mobile', 1, 1, 1, 0, 1, '2026-02-11T09:00:00.0000000Z', '2026-02-11T09:30:00.0000002Z'),
    (2003, 3105, 'Email', 'bo@quietpines.example', NULL, 1, 0, 1, 1, 1, '2026-02-11T10:00:00.0000000Z', '2026-02-11T10:00:00.0000000Z'),
    (2003, 3106, 'Phone', '3105550121', NULL, 0, 0, 0, 0, 1, '2026-02-11T11:00:00.0000000Z', '2026-02-11T11:15:00.5000000Z'),
    (2004, 3107, 'MobilePhone', '3105550102', 'Cleo''s mobile', 1, 0, 1, 1, 1, '2026-03-12T09:00:00.0000000Z', '2026-03-12T09:30:00.0000003Z'),
    (2004, 3108, 'Email', 'cleo@oakstreet.example', 'Cleo, accounts', 1, 0, 1, 1, 1, '2026-03-12T10:00:00.0000000Z', '2026-03-12T10:00:00.0000000Z'),
    (2004, 3109, 'Phone', '3105550122', NULL, 0, 0, 0, 0, 1, '2026-03-12T11:00:00.0000000Z', '2026-03-12T11:15:00.5000000Z'),
    (2005, 3110, 'MobilePhone', '3105550103', 'Dov''s mobile', 1, 1, 1, 1, 1, '2026-04-13T09:00:00.0000000Z', '2026-04-13T09:30:00.0000004Z'),
    (2005, 3111, 'Email', 'dov@marlow.example', NULL, NULL, NULL, NULL, NULL, 1, '2026-04-13T10:00:00.0000000Z', '2026-04-13T10:00:00.0000000Z'),
    (2005, 3112, 'Phone', '3105550123', NULL, 0, 0, 0, 0, 1, '2026-04-13T11:00:00.0000000Z', '2026-04-13T11:15:00.5000000Z'),
    (2006, 3113, 'MobilePhone', '3105550104', 'Esme''s mobile', 1, 0, 1, 0, 1, '2026-05-14T09:00:00.0000000Z', '2026-05-14T09:30:00.0000005Z'),
    (2006, 3114, 'Email', 'esme@lighthouse.example', 'Esme, accounts', 1, 0, 1, 1, 1, '2026-05-14T10:00:00.0000000Z', '2026-05-14T10:00:00.0000000Z'),
    (2006, 3115, 'Phone', '3105550124', NULL, 0, 0, 0, 0, 1, '2026-05-14T11:00:00.0000000Z', '2026-05-14T11:15:00.5000000Z'),
    (2007, 3116, 'MobilePhone', '3105550105', 'Finn''s mobile', 1, 1, 1, 0, 1, '2026-01-15T09:00:00.0000000Z', '2026-01-15T09:30:00.0000006Z'),
    (2007, 3117, 'Email', 'finn@cedarauto.example', NULL, 1, 0, 1, 1, 1, '2026-01-15T10:00:00.0000000Z', '2026-01-15T10:00:00.0000000Z'),
    (2007, 3118, 'Phone', '3105550125', NULL, 0, 0, 0, 0, 1, '2026-01-15T11:00:00.0000000Z', '2026-01-15T11:15:00.5000000Z'),
    (2008, 3119, 'MobilePhone', '3105550106', 'Gia''s mobile', 1, 0, 1, 1, 1, '2026-02-16T09:00:00.0000000Z', '2026-02-16T09:30:00.0000007Z'),
    (2008, 3120, 'Email', 'gia@bluedoor.example', 'Gia, accounts', NULL, NULL, NULL, NULL, 1, '2026-02-16T10:00:00.0000000Z', '2026-02-16T10:00:00.0000000Z'),
    (2008, 3121, 'Phone', '3105550126', NULL, 0, 0, 0, 0, 1, '2026-02-16T11:00:00.0000000Z', '2026-02-16T11:15:00.5000000Z'),
    (2009, 3122, 'MobilePhone', '3105550107', 'Hugo''s mobile', 1, 1, 1, 1, 1, '2026-03-17T09:00:00.0000000Z', '2026-03-17T09:30:00.0000008Z'),
    (2009, 3123, 'Email', 'hugo@riverside.example', NULL, 1, 0, 1, 1, 1, '2026-03-17T10:00:00.0000000Z', '2026-03-17T10:00:00.0000000Z'),
    (2009, 3124, 'Phone', '3105550127', NULL, 0, 0, 0, 0, 1, '2026-03-17T11:00:00.0000000Z', '2026-03-17T11:15:00.5000000Z'),
    (2010, 3125, 'MobilePhone', '3105550108', 'Ines''s mobile', 1, 0, 1, 0, 1, '2026-04-18T09:00:00.0000000Z', '2026-04-18T09:30:00.0000009Z'),
    (2010, 3126, 'Email', 'ines@halden.example', 'Ines, accounts', 1, 0, 1, 1, 1, '2026-04-18T10:00:00.0000000Z', '2026-04-18T10:00:00.0000000Z'),
    (2010, 3127, 'Phone', '3105550128', NULL, 0, 0, 0, 0, 1, '2026-04-18T11:00:00.0000000Z', '2026-04-18T11:15:00.5000000Z'),
    (2011, 3128, 'MobilePhone', '3105550109', 'Jun''s mobile', 1, 1, 1, 0, 1, '2026-05-19T09:00:00.0000000Z', '2026-05-19T09:30:00.0000010Z'),
    (2011, 3129, 'Email', 'jun@cornerbooks.example', NULL, NULL, NULL, NULL, NULL, 1, '2026-05-19T10:00:00.0000000Z', '2026-05-19T10:00:00.0000000Z'),
    (2011, 3130, 'Phone', '3105550129', NULL, 0, 0, 0, 0, 1, '2026-05-19T11:00:00.0000000Z', '2026-05-19T11:15:00.5000000Z'),
    (2003, 3131, 'MobilePhone', '2135550177', 'On call', 1, 1, 1, 1, 1, '2026-02-20T06:00:00.0000000Z', '2026-02-20T06:00:00.0000000Z'),
    (2004, 3132, 'MobilePhone', '2135550177', 'On call', 1, 1, 1, 1, 1, '2026-02-20T06:00:00.0000000Z', '2026-02-20T06:00:00.0000000Z'),
    (2005, 3133, 'MobilePhone', '2135550177', 'On call', 1, 1, 1, 1, 1, '2026-02-20T06:00:00.0000000Z', '2026-02-20T06:00:00.0000000Z');

-- Customer 1001 looks like location 2001, but its contacts are records of their own.
INSERT INTO customer_contacts
    (owner_id, id, type, value, memo, job_reminders, marketing_updates, invoices, statements, active, created_on, modified_on)
VALUES
    (1001, 4001, 'MobilePhone', '8185550142', 'Owner', 1, 1, 1, 1, 1, '2025-10-30T09:00:00.0000000Z', '2026-04-14T19:31:22.6600007Z'),
    (1001, 4002, 'Email', 'billing@harborbakery.example', 'Invoices', 0, 0, 1, 1, 1, '2025-10-30T09:05:00.0000000Z', '2025-10-30T09:05:00.0000000Z'),
    (1001, 4003, 'Fax', '8185550143', NULL, NULL, NULL, NULL, NULL, 1, '0001-01-01T00:00:00.0000000Z', '2025-10-30T09:10:00.0000000Z'),
    (1001, 4004, 'Phone', '8185550149', 'Former owner', 1, 1, 1, 1, 0, '2025-10-30T09:15:00.0000000Z', '2026-01-31T15:00:00.0000000Z'),
    (1002, 4101, 'MobilePhone', '3235550111', 'Bo', 1, 1, 1, 1, 1, '2026-02-11T08:00:00.0000000Z', '2026-02-11T08:00:00.0000001Z'),
    (1002, 4102, 'Email', 'hello@quietpines.example', NULL, 1, 1, 1, 1, 1, '2026-02-11T08:10:00.0000000Z', '2026-02-11T08:10:00.0000000Z'),
    (1003, 4103, 'MobilePhone', '3235550112', 'Cleo', 1, 0, 1, 1, 1, '2026-03-12T08:00:00.0000000Z', '2026-03-12T08:00:00.0000002Z'),
    (1003, 4104, 'Email', 'hello@oakstreet.example', NULL, 1, 1, 1, 1, 1, '2026-03-12T08:10:00.0000000Z', '2026-03-12T08:10:00.0000000Z'),
    (1004, 4105, 'MobilePhone', '3235550113', 'Dov', 1, 1, 1, 1, 1, '2026-04-13T08:00:00.0000000Z', '2026-04-13T08:00:00.0000003Z'),
    (1004, 4106, 'Email', 'hello@marlow.example', NULL, 1, 1, 1, 1, 1, '2026-04-13T08:10:00.0000000Z', '2026-04-13T08:10:00.0000000Z'),
    (1005, 4107, 'MobilePhone', '3235550114', 'Esme', 1, 0, 1, 1, 1, '2026-05-14T08:00:00.0000000Z', '2026-05-14T08:00:00.0000004Z'),
    (1005, 4108, 'Email', 'hello@lighthouse.example', NULL, NULL, NULL, NULL, NULL, 1, '2026-05-14T08:10:00.0000000Z', '2026-05-14T08:10:00.0000000Z'),
    (1006, 4109, 'MobilePhone', '3235550115', 'Finn', 1, 1, 1, 1, 1, '2026-01-15T08:00:00.0000000Z', '2026-01-15T08:00:00.0000005Z'),
    (1006, 4110, 'Email', 'hello@cedarauto.example', NULL, 1, 1, 1, 1, 1, '2026-01-15T08:10:00.0000000Z', '2026-01-15T08:10:00.0000000Z'),
    (1007, 4111, 'MobilePhone', '3235550116', 'Gia', 1, 0, 1, 1, 1, '2026-02-16T08:00:00.0000000Z', '2026-02-16T08:00:00.0000006Z'),
    (1007, 4112, 'Email', 'hello@bluedoor.example', NULL, 1, 1, 1, 1, 1, '2026-02-16T08:10:00.0000000Z', '2026-02-16T08:10:00.0000000Z'),
    (1008, 4113, 'MobilePhone', '3235550117', 'Hugo', 1, 1, 1, 1, 1, '2026-03-17T08:00:00.0000000Z', '2026-03-17T08:00:00.0000007Z'),
    (1008, 4114, 'Email', 'hello@riverside.example', NULL, 1, 1, 1, 1, 1, '2026-03-17T08:10:00.0000000Z', '2026-03-17T08:10:00.0000000Z'),
    (1009, 4115, 'MobilePhone', '3235550118', 'Ines', 1, 0, 1, 1, 1, '2026-04-18T08:00:00.0000000Z', '2026-04-18T08:00:00.0000008Z'),
    (1009, 4116, 'Email', 'hello@halden.example', NULL, NULL, NULL, NULL, NULL, 1, '2026-04-18T08:10:00.0000000Z', '2026-04-18T08:10:00.0000000Z'),
    (1010, 4117, 'MobilePhone', '3235550119', 'Jun', 1, 1, 1, 1, 1, '2026-05-19T08:00:00.0000000Z', '2026-05-19T08:00:00.0000009Z'),
    (1010, 4118, 'Email', 'hello@cornerbooks.example', NULL, 1, 1, 1, 1, 1, '2026-05-19T08:10:00.0000000Z', '2026-05-19T08:10:00.0000000Z'),
    (1001, 4119, 'MobilePhone', '2135550177', 'On call', 1, 1, 1, 1, 1, '2026-02-21T06:00:00.0000000Z', '2026-02-21T06:00:00.0000000Z'),
    (1003, 4120, 'MobilePhone', '2135550177', 'On call', 1, 1, 1, 1, 1, '2026-02-21T06:00:00.0000000Z', '2026-02-21T06:00:00.0000000Z'),
    (1005, 4121, 'MobilePhone', '2135550177', 'On call', 1, 1, 1, 1, 1, '2026-02-21T06:00:00.0000000Z', '2026-02-21T06:00:00.0000000Z');

INSERT INTO do_not_text (number) VALUES ('8185550144'), ('3105550103');

INSERT INTO bookings (id, provider_id) VALUES (6001, 501), (6002, 501), (6003, 502);

INSERT INTO booking_contacts (booking_id, id, type, value, memo, modified_on) VALUES
    (6001, 6501, 'MobilePhone', '2135550108', 'Caller''s cell', '2026-03-03T04:00:00.5000000Z'),
    (6001, 6502, 'Email', 'caller@mailbox.example', NULL, '2026-03-03T04:00:00.5000000Z'),
    (6002, 6503, 'Phone', '2135550109', NULL, '2026-03-04T04:00:00.0000000Z'),
    (6003, 6504, 'MobilePhone', '2135550110', 'Evening', '2026-03-05T04:00:00.0000000Z');

INSERT INTO people (id, reference_id, name, title, is_archived, created_on, created_by, modified_on, modified_by) VALUES
    ('5e0c1a44-93b7-4d1f-8a26-000000000001', 'hb-01', 'Ada Quill', 'Owner', 0, '2026-04-11T14:06:00.5000000Z', 4102, '2026-05-11T09:00:00.0000001Z', 4102),
    ('5e0c1a44-93b7-4d1f-8a26-000000000002', 'hb-02', 'Bo Lindqvist', 'Site manager', 0, '2026-04-12T14:06:00.5000000Z', 4102, '2026-05-12T09:00:00.0000002Z', 4102),
    ('5e0c1a44-93b7-4d1f-8a26-000000000003', NULL, 'Cleo Marsh', NULL, 0, '2026-04-13T14:06:00.5000000Z', 4102, '2026-05-13T09:00:00.0000003Z', 4102),
    ('5e0c1a44-93b7-4d1f-8a26-000000000004', NULL, NULL, NULL, 1, '2026-04-14T14:06:00.5000000Z', 4102, '2026-05-14T09:00:00.0000004Z', 0),
    ('5e0c1a44-93b7-4d1f-8a26-000000000005', 'oak-7', 'Dov Amsel', 'Caretaker', 0, '2026-04-15T14:06:00.5000000Z', 4102, '2026-05-15T09:00:00.0000005Z', 4102),
    ('5e0c1a44-93b7-4d1f-8a26-000000000006', NULL, 'Esme Quill', 'Bookkeeper', 0, '2026-04-16T14:06:00.5000000Z', 4102, '2026-05-16T09:00:00.0000006Z', 4102);

INSERT INTO contact_methods (id, person_id, reference_id, type, value, memo, created_on, created_by, modified_on, modified_by) VALUES
    ('7b2d9f10-4e6a-4c58-b310-000000000001', '5e0c1a44-93b7-4d1f-8a26-000000000001', 'hb-01-m', 'MobilePhone', '8185550142', 'Best after 4 pm', '2026-04-11T14:10:00.0000000Z', 4102, '2026-05-11T09:10:00.0000001Z', 4102),
    ('7b2d9f10-4e6a-4c58-b310-000000000002', '5e0c1a44-93b7-4d1f-8a26-000000000001', NULL, 'Email', 'ada@harborbakery.example', NULL, '2026-04-12T14:10:00.0000000Z', 4102, '2026-05-12T09:10:00.0000002Z', 4102),
    ('7b2d9f10-4e6a-4c58-b310-000000000003', '5e0c1a44-93b7-4d1f-8a26-000000000002', NULL, 'Phone', '(213) 555-0177', 'Site', '2026-04-13T14:10:00.0000000Z', 4102, '2026-05-13T09:10:00.0000003Z', 4102),
    ('7b2d9f10-4e6a-4c58-b310-000000000004', '5e0c1a44-93b7-4d1f-8a26-000000000003', NULL, 'Email', 'cleo@quietpines.example', NULL, '2026-04-14T14:10:00.0000000Z', 4102, '2026-05-14T09:10:00.0000004Z', 4102),
    ('7b2d9f10-4e6a-4c58-b310-000000000005', '5e0c1a44-93b7-4d1f-8a26-000000000005', NULL, 'MobilePhone', '+1 213-555-0177', NULL, '2026-04-15T14:10:00.0000000Z', 4102, '2026-05-15T09:10:00.0000005Z', 4102),
    ('7b2d9f10-4e6a-4c58-b310-000000000006', '5e0c1a44-93b7-4d1f-8a26-000000000006', NULL, 'Fax', '8185550143', NULL, '2026-04-16T14:10:00.0000000Z', 4102, '2026-05-16T09:10:00.0000006Z', 4102);

INSERT INTO method_preferences (method_id, type_id, value) VALUES
    ('7b2d9f10-4e6a-4c58-b310-000000000001', '0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d01', 'true'),
    ('7b2d9f10-4e6a-4c58-b310-000000000001', '0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d02', 'false'),
    ('7b2d9f10-4e6a-4c58-b310-000000000002', '0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d03', 'true'),
    ('7b2d9f10-4e6a-4c58-b310-000000000003', '0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d02', 'true'),
    ('7b2d9f10-4e6a-4c58-b310-000000000005', '0d3f6a52-7c1e-4b84-9a60-2e5b8f1c4d02', 'true');

INSERT INTO relationships (id, person_id, related_entity_id, type_slug, created_on, created_by) VALUES
    ('c4f8e2a6-1b5d-4790-9e33-000000000001', '5e0c1a44-93b7-4d1f-8a26-000000000001', 1001, 'customer', '2026-04-11T14:06:00.5000000Z', 4102),
    ('c4f8e2a6-1b5d-4790-9e33-000000000002', '5e0c1a44-93b7-4d1f-8a26-000000000001', 2001, 'location', '2026-04-12T14:06:00.5000000Z', 4102),
    ('c4f8e2a6-1b5d-4790-9e33-000000000003', '5e0c1a44-93b7-4d1f-8a26-000000000002', 2001, 'location', '2026-04-13T14:06:00.5000000Z', 4102),
    ('c4f8e2a6-1b5d-4790-9e33-000000000004', '5e0c1a44-93b7-4d1f-8a26-000000000003', 1002, 'customer', '2026-04-14T14:06:00.5000000Z', 4102),
    ('c4f8e2a6-1b5d-4790-9e33-000000000005', '5e0c1a44-93b7-4d1f-8a26-000000000005', 2003, 'location', '2026-04-15T14:06:00.5000000Z', 4102),
    ('c4f8e2a6-1b5d-4790-9e33-000000000006', '5e0c1a44-93b7-4d1f-8a26-000000000003', 6001, 'booking', '2026-04-16T14:06:00.5000000Z', 4102);
