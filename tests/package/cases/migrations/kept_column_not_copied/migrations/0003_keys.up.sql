ALTER TABLE tag RENAME COLUMN id TO old_id;
ALTER TABLE tag ADD COLUMN id varchar(36);
UPDATE tag SET id = gen_random_uuid()::text;
ALTER TABLE tag DROP COLUMN old_id;
