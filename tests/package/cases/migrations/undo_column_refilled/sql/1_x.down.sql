ALTER TABLE t ADD COLUMN note text;
UPDATE t SET note = '';