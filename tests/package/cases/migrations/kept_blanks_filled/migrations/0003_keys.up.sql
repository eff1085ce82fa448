UPDATE orders SET state = 'new' WHERE state IS NULL;
UPDATE orders SET state = 'new' WHERE state IS NULL OR state = 'open';
UPDATE orders SET state = 'new' WHERE note IS NULL;
