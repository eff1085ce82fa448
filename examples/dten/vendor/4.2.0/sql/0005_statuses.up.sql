CREATE TABLE IF NOT EXISTS order_statuses (name text NOT NULL, added timestamptz NOT NULL DEFAULT now());
INSERT INTO order_statuses (name)
SELECT DISTINCT status FROM orders o WHERE NOT EXISTS (SELECT FROM order_statuses s WHERE s.name = o.status);
INSERT INTO schema_version (version) VALUES (5);
