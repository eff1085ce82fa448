-- migrate:up transaction:false
CREATE INDEX CONCURRENTLY jobs_id ON jobs (id);
-- migrate:down
