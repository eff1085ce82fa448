BEGIN;
ALTER TABLE orders DROP COLUMN token;
ALTER TABLE orders ALTER COLUMN total TYPE integer;
DELETE FROM schema_version WHERE version = 4;
COMMIT;
