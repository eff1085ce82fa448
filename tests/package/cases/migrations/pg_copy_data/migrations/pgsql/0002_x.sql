CREATE TABLE t (a text);
COPY t (a) FROM stdin;
DROP TABLE customers;
; DELETE FROM x;
\.
ALTER TABLE z DROP COLUMN y;