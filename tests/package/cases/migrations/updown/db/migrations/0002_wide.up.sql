-- DROP TABLE accounts; is only said, not done
ALTER TABLE accounts ALTER COLUMN code TYPE varchar(20);
ALTER TABLE accounts ADD CONSTRAINT note_there CHECK (note <> 'DELETE FROM accounts') NOT VALID;
CREATE INDEX CONCURRENTLY accounts_note ON accounts (note);
