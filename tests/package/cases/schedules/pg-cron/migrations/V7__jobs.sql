CREATE EXTENSION IF NOT EXISTS pg_cron;
-- SELECT cron.schedule('0 0 * * *', 'old');
SELECT cron.schedule('purge', '30 3 * * 6', $$DELETE FROM events
  WHERE at < now() - interval '1 week'$$);
SELECT cron.schedule('*/5 * * * *', 'CALL refresh()');
SELECT cron.schedule('last', '0 12 $ * *', 'SELECT 1');
SELECT cron.unschedule('gone');
