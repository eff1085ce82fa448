CREATE INDEX orders_customer ON orders (customer_id);
INSERT INTO schema_version (version) VALUES (2);
