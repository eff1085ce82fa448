ALTER SYSTEM SET cron.timezone = 'Europe/Berlin';
