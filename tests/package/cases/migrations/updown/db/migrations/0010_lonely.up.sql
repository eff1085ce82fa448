BEGIN;
SET LOCAL lock_timeout = '2s';
SELECT pg_advisory_xact_lock(42);
ALTER TABLE accounts ADD COLUMN region uuid DEFAULT gen_random_uuid();
UPDATE accounts SET note = '';
COMMIT;
