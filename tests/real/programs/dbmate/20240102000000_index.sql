-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY tv ON t (v);
-- migrate:down transaction:false
DROP INDEX CONCURRENTLY tv;
