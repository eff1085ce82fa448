ALTER TABLE lines RENAME TO items;
DROP TABLE orders;
