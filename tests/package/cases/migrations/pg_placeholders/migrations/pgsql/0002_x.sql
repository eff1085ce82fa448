ALTER TABLE ${schema}.t DROP COLUMN y;
CREATE INDEX i ON :tab (a);