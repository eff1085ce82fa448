CREATE TABLE marks (id bigserial PRIMARY KEY, at timestamptz);
DELETE FROM ledger WHERE true;
DELETE FROM people WHERE 1 = 1;
UPDATE people SET note = NULL WHERE 'a' = 'a';
DELETE FROM people WHERE 1 = 2;
