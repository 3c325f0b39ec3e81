-- Keys are what crm-values reads; meta `keys` says of which region and by which data, and they are
-- made anew when it is another. A text that cannot be read has the text behind a blank as its key.
ALTER TABLE contacts ADD COLUMN otherwise TEXT;  -- the second reading of digits alone
