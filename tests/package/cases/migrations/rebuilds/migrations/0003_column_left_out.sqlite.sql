CREATE TABLE orders_tmp (id INTEGER PRIMARY KEY AUTOINCREMENT, total BIGINT);
INSERT INTO orders_tmp (id, total) SELECT id, total FROM orders;
DROP TABLE orders;
ALTER TABLE orders_tmp RENAME TO orders;
