INSERT INTO addresses (order_id, street) SELECT id, street FROM orders WHERE street IS NOT NULL;
ALTER TABLE orders DROP COLUMN street;
