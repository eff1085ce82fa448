DROP TABLE IF EXISTS orders_tmp;
CREATE TABLE orders_tmp (id INTEGER PRIMARY KEY AUTOINCREMENT, total BIGINT, note TEXT);
INSERT OR IGNORE INTO orders_tmp (id, total, note) SELECT id, total, note FROM orders;
DROP TABLE orders;
ALTER TABLE orders_tmp RENAME TO orders;
