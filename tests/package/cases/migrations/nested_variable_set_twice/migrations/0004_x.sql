DO $$
DECLARE q text := 'SELECT 1';
BEGIN
  EXECUTE q;
  q := 'DROP TABLE invoices';
  EXECUTE q;
END $$ LANGUAGE plpgsql;
