-- Totals no longer fit 32 bits for our largest customers.
ALTER TABLE orders ALTER COLUMN total TYPE bigint;
INSERT INTO schema_version (version) VALUES (4);
