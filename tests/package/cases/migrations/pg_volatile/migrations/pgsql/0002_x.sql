ALTER TABLE t ADD COLUMN u uuid DEFAULT gen_random_uuid();
ALTER TABLE t ADD COLUMN v timestamptz DEFAULT now() NOT NULL;