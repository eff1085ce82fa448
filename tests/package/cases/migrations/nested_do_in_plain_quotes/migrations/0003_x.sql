DO 'BEGIN
  EXECUTE ''TRUNCATE payments'';
  DELETE FROM refunds;
END';
SELECT jsonb_typeof('1'::jsonb);
