CREATE TABLE accounts (id bigint PRIMARY KEY, code varchar(50), note text);
CREATE INDEX accounts_code ON accounts (code);
DROP TABLE accounts;
