ALTER TABLE orders DROP COLUMN legacy_ref;
INSERT INTO schema_version (version) VALUES (6);
