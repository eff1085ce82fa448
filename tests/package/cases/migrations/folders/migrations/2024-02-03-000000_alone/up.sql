DELETE FROM sessions WHERE stale;
DELETE FROM sessions;
TRUNCATE audit;
DO $$
BEGIN
  IF true THEN
    DROP TABLE audit;
  END IF;
  EXECUTE 'DROP TABLE ' || target;
END $$;
