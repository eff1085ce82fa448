ALTER TABLE orders ADD FOREIGN KEY (customer) REFERENCES customers (id);
