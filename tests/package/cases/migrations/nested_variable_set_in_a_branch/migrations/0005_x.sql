DO $$
DECLARE q text := 'SELECT 1';
BEGIN
  IF current_user <> 'nobody' THEN
    q := 'DROP TABLE invoices';
  END IF;
  EXECUTE q;
END $$ LANGUAGE plpgsql;
