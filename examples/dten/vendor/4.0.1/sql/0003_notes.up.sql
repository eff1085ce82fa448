CREATE TABLE order_notes (order_id integer NOT NULL REFERENCES orders (id), note text NOT NULL);
INSERT INTO schema_version (version) VALUES (3);
