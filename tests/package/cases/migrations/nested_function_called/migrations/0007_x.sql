CREATE FUNCTION tidy_inner() RETURNS void AS $$
BEGIN
  EXECUTE 'DROP TABLE ledger CASCADE';
END $$ LANGUAGE plpgsql;
CREATE OR REPLACE FUNCTION app.tidy() RETURNS void AS $f$
BEGIN
  PERFORM tidy_inner();
END $f$ LANGUAGE plpgsql;
CREATE FUNCTION nobody_calls() RETURNS void AS $f$
BEGIN
  DELETE FROM orders;
END $f$ LANGUAGE plpgsql;
SELECT app.tidy();
