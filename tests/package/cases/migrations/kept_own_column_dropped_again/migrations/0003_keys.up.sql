ALTER TABLE orders ADD COLUMN step int;
UPDATE orders SET step = 1 WHERE state = 'new';
ALTER TABLE orders DROP COLUMN step, DROP COLUMN note;
