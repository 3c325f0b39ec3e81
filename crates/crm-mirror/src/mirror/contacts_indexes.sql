-- Made once all contacts of the first load are there: a tree that is filled in an order unrelated
-- to its own costs five times as much.

-- It holds all that coverage counts, so that counting reads no contact. The writer keeps it unique.
CREATE INDEX contacts_by_id ON contacts (owner, contact_id, active, kind, flags);

-- A feed repeats records: what came last is how it is.
DELETE FROM contacts WHERE id IN (
    SELECT c.id
    FROM (
        SELECT owner, contact_id, max(id) AS newest FROM contacts
        GROUP BY owner, contact_id HAVING count(*) > 1
    ) AS repeated
    JOIN contacts AS c ON c.owner = repeated.owner AND c.contact_id = repeated.contact_id
    WHERE c.id < repeated.newest
);

CREATE INDEX contacts_by_key ON contacts (coalesce(key, value)) WHERE active;
CREATE INDEX contacts_otherwise ON contacts (otherwise) WHERE active AND otherwise IS NOT NULL;
-- The last seven digits: a number without its area code.
CREATE INDEX contacts_by_tail ON contacts (key % 10000000)
    WHERE active AND typeof(key) = 'integer';
CREATE INDEX contacts_by_domain
    ON contacts (substr(coalesce(key, value), instr(coalesce(key, value), '@') + 1))
    WHERE active AND instr(coalesce(key, value), '@') > 0;

-- The words of values and memos, by every three characters. It holds no copy of the texts and no
-- positions: what it finds is looked at again.
CREATE VIRTUAL TABLE contact_text USING fts5(
    text, content = 'contact_texts', content_rowid = 'id',
    tokenize = 'trigram', detail = 'none', columnsize = 0
);
-- In the place of 'rebuild', which takes ten times as long.
INSERT INTO contact_text (rowid, text) SELECT id, text FROM contact_texts ORDER BY id;
INSERT INTO contact_text (contact_text) VALUES ('optimize');

CREATE TRIGGER contact_text_insert AFTER INSERT ON contacts WHEN new.active BEGIN
    INSERT INTO contact_text (rowid, text)
    VALUES (new.id, coalesce(new.folded, new.value || char(10) || ifnull(new.memo, '')));
END;
CREATE TRIGGER contact_text_update AFTER UPDATE OF active, value, memo ON contacts
WHEN (old.active, old.value, old.memo) IS NOT (new.active, new.value, new.memo) BEGIN
    INSERT INTO contact_text (contact_text, rowid, text)
    SELECT 'delete', old.id, coalesce(old.folded, old.value || char(10) || ifnull(old.memo, ''))
    WHERE old.active;
    INSERT INTO contact_text (rowid, text)
    SELECT new.id, coalesce(new.folded, new.value || char(10) || ifnull(new.memo, ''))
    WHERE new.active;
END;

DELETE FROM meta WHERE name = 'staged_contacts';
