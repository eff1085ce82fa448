-- Rows of the demo's production, the same every time.
INSERT INTO customers (id, name, joined)
SELECT n, 'customer ' || n, date '2019-01-01' + (n * 7919) % 2500 FROM generate_series(1, 6000) AS n;
INSERT INTO orders (id, customer_id, total, status, legacy_ref, placed)
SELECT n,
       (n::bigint * 7919) % 6000 + 1,
       (n::bigint * 104729) % 90000 + 100,
       (ARRAY['open', 'paid', 'shipped', 'returned'])[n % 4 + 1],
       'L' || lpad(((n * 31) % 1000000)::text, 6, '0'),
       timestamptz '2025-11-01T00:00:00Z' + n * interval '127 seconds'
FROM generate_series(1, 204000) AS n;
INSERT INTO order_notes (order_id, note) SELECT n * 40, 'called back' FROM generate_series(1, 5000) AS n;
ANALYZE;
