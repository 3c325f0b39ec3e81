-- Made once all people, and all their numbers and addresses, of the first load are there.

-- A list repeats records: what came last is how it is.
DELETE FROM people WHERE id NOT IN (SELECT max(id) FROM people GROUP BY guid);
DELETE FROM methods WHERE id NOT IN (SELECT max(id) FROM methods GROUP BY guid);

CREATE UNIQUE INDEX people_by_id ON people (guid);
CREATE UNIQUE INDEX methods_by_id ON methods (guid);
-- It holds all that coverage counts.
CREATE INDEX methods_by_person ON methods (person, kind);

CREATE INDEX methods_by_key ON methods (coalesce(key, value));
CREATE INDEX methods_otherwise ON methods (otherwise) WHERE otherwise IS NOT NULL;
CREATE INDEX methods_by_tail ON methods (key % 10000000) WHERE typeof(key) = 'integer';
CREATE INDEX methods_by_domain
    ON methods (substr(coalesce(key, value), instr(coalesce(key, value), '@') + 1))
    WHERE instr(coalesce(key, value), '@') > 0;

-- The words of names and titles, and of values and memos, by every three characters.
CREATE VIRTUAL TABLE person_text USING fts5(
    text, content = 'person_texts', content_rowid = 'id',
    tokenize = 'trigram', detail = 'none', columnsize = 0
);
CREATE VIRTUAL TABLE method_text USING fts5(
    text, content = 'method_texts', content_rowid = 'id',
    tokenize = 'trigram', detail = 'none', columnsize = 0
);
-- In the place of 'rebuild', which takes ten times as long.
INSERT INTO person_text (rowid, text) SELECT id, text FROM person_texts ORDER BY id;
INSERT INTO person_text (person_text) VALUES ('optimize');
INSERT INTO method_text (rowid, text) SELECT id, text FROM method_texts ORDER BY id;
INSERT INTO method_text (method_text) VALUES ('optimize');

CREATE TRIGGER person_text_insert AFTER INSERT ON people BEGIN
    INSERT INTO person_text (rowid, text) VALUES (new.id,
        coalesce(new.folded, ifnull(new.name, '') || char(10) || ifnull(new.title, '')));
END;
CREATE TRIGGER person_text_delete AFTER DELETE ON people BEGIN
    INSERT INTO person_text (person_text, rowid, text) VALUES ('delete', old.id,
        coalesce(old.folded, ifnull(old.name, '') || char(10) || ifnull(old.title, '')));
END;
CREATE TRIGGER person_text_update AFTER UPDATE OF name, title ON people
WHEN (old.name, old.title) IS NOT (new.name, new.title) BEGIN
    INSERT INTO person_text (person_text, rowid, text) VALUES ('delete', old.id,
        coalesce(old.folded, ifnull(old.name, '') || char(10) || ifnull(old.title, '')));
    INSERT INTO person_text (rowid, text) VALUES (new.id,
        coalesce(new.folded, ifnull(new.name, '') || char(10) || ifnull(new.title, '')));
END;
CREATE TRIGGER method_text_insert AFTER INSERT ON methods BEGIN
    INSERT INTO method_text (rowid, text) VALUES (new.id,
        coalesce(new.folded, new.value || char(10) || ifnull(new.memo, '')));
END;
CREATE TRIGGER method_text_delete AFTER DELETE ON methods BEGIN
    INSERT INTO method_text (method_text, rowid, text) VALUES ('delete', old.id,
        coalesce(old.folded, old.value || char(10) || ifnull(old.memo, '')));
END;
CREATE TRIGGER method_text_update AFTER UPDATE OF value, memo ON methods
WHEN (old.value, old.memo) IS NOT (new.value, new.memo) BEGIN
    INSERT INTO method_text (method_text, rowid, text) VALUES ('delete', old.id,
        coalesce(old.folded, old.value || char(10) || ifnull(old.memo, '')));
    INSERT INTO method_text (rowid, text) VALUES (new.id,
        coalesce(new.folded, new.value || char(10) || ifnull(new.memo, '')));
END;

DELETE FROM meta WHERE name = 'staged_people';
