ALTER TABLE lines RENAME TO lines_old;
CREATE TABLE lines (id INTEGER PRIMARY KEY, amount BIGINT);
INSERT INTO lines SELECT * FROM lines_old;
DROP TABLE lines_old;
