-- Made once all owners of the first load are there.

-- The words of names and addresses, by every three characters.
CREATE VIRTUAL TABLE owner_text USING fts5(
    text, content = 'owner_texts', content_rowid = 'owner',
    tokenize = 'trigram', detail = 'none', columnsize = 0
);
-- In the place of 'rebuild', which takes ten times as long.
INSERT INTO owner_text (rowid, text) SELECT owner, text FROM owner_texts ORDER BY owner;
INSERT INTO owner_text (owner_text) VALUES ('optimize');

CREATE TRIGGER owner_text_insert AFTER INSERT ON owners BEGIN
    INSERT INTO owner_text (rowid, text) VALUES (new.owner, coalesce(new.folded, new.name || char(10)
        || new.street || ' ' || ifnull(new.unit || ' ', '') || new.city || ' ' || new.state || ' '
        || new.zip));
END;
CREATE TRIGGER owner_text_update AFTER UPDATE ON owners BEGIN
    INSERT INTO owner_text (owner_text, rowid, text)
    VALUES ('delete', old.owner, coalesce(old.folded, old.name || char(10)
        || old.street || ' ' || ifnull(old.unit || ' ', '') || old.city || ' ' || old.state || ' '
        || old.zip));
    INSERT INTO owner_text (rowid, text) VALUES (new.owner, coalesce(new.folded, new.name || char(10)
        || new.street || ' ' || ifnull(new.unit || ' ', '') || new.city || ' ' || new.state || ' '
        || new.zip));
END;

DELETE FROM meta WHERE name = 'staged_owners';
