--liquibase formatted sql
--changeset ann:1
CREATE TABLE t (a int);
--rollback DROP TABLE t;
--changeset ann:2
TRUNCATE u;
