--liquibase formatted sql
--changeset ann:1
ALTER TABLE t DROP COLUMN a;
--rollback ALTER TABLE t ADD COLUMN a int;
