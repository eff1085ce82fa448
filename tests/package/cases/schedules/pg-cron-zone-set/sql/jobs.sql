SELECT cron.schedule('purge', '0 4 * * *', 'DELETE FROM log');
