DO $$
DECLARE q text := 'SELECT 1';
BEGIN
  SELECT body INTO q FROM jobs WHERE id = 7;
  EXECUTE q;
END $$ LANGUAGE plpgsql;
