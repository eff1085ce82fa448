ALTER TABLE orders ADD COLUMN legacy_ref text;
DELETE FROM schema_version WHERE version = 6;
