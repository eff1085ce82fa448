CREATE TEMPORARY TABLE __temp__lines AS SELECT id, amount FROM lines;
DROP TABLE lines;
CREATE TABLE lines (id INTEGER PRIMARY KEY, amount INTEGER);
INSERT INTO lines (id, amount) SELECT id, amount FROM __temp__lines;
DROP TABLE __temp__lines;
