CREATE TABLE marks (id bigserial PRIMARY KEY, at timestamptz);
COPY marks TO PROGRAM 'gzip > /srv/marks.gz';
SELECT lo_export(7, '/var/lib/app/x');
INSERT INTO marks SELECT 1, pg_read_file('/etc/app/at')::timestamptz;
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();
SELECT dblink_exec('host=old.vendor.example', 'DROP TABLE ledger');
COMMENT ON TABLE marks IS 'see pg_read_file ("x")';
