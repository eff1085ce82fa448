UPDATE orders SET state = 'new' WHERE state IS NULL;
ALTER TABLE orders ADD COLUMN paid boolean;
