ALTER TABLE users ADD COLUMN legacy_ref text;
