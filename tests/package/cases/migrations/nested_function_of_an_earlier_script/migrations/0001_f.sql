CREATE FUNCTION purge_all() RETURNS void AS $$
BEGIN
  TRUNCATE visits;
END $$ LANGUAGE plpgsql;
