ALTER TABLE orders ADD COLUMN sum bigint;
UPDATE orders SET sum = price * 100 WHERE state = 'paid';
ALTER TABLE orders DROP COLUMN price;
