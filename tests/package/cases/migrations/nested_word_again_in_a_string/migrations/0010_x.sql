DO $$
BEGIN
  IF true THEN
    DELETE FROM words /* BEGIN */ WHERE word = 'DELETE' OR word = 'TRUNCATE';
  ELSE DELETE FROM words;
  END IF;
END $$ LANGUAGE plpgsql;
