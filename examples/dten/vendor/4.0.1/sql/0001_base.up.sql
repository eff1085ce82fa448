CREATE TABLE schema_version (version integer NOT NULL, applied timestamptz NOT NULL DEFAULT '2026-05-18T00:00:00Z');
CREATE TABLE customers (id integer PRIMARY KEY, name text NOT NULL, joined date NOT NULL);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customers (id),
    total integer NOT NULL,
    status text NOT NULL,
    legacy_ref text,
    placed timestamptz NOT NULL
);
INSERT INTO schema_version (version) VALUES (1);
