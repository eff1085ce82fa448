CREATE TABLE marks (id bigserial PRIMARY KEY, at timestamptz);
WITH a AS (SELECT 1), gone AS (DELETE FROM ledger RETURNING id) SELECT count(*) FROM gone;
WITH gone AS (DELETE FROM people WHERE old RETURNING *) INSERT INTO marks SELECT 1, now() FROM gone;
