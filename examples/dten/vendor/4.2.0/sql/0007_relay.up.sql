CREATE TABLE relay_outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id integer NOT NULL REFERENCES orders (id),
    payload jsonb NOT NULL DEFAULT '{}',
    sent timestamptz
);
CREATE INDEX orders_customer_placed ON orders (customer_id, placed);
CREATE ROLE dten_relay LOGIN PASSWORD 'r3lay-4-all';
GRANT SELECT, INSERT, UPDATE ON relay_outbox TO dten_relay;
INSERT INTO schema_version (version) VALUES (7);
