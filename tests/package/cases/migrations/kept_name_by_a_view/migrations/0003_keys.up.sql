ALTER TABLE members RENAME TO people;
CREATE VIEW members AS SELECT * FROM people;
