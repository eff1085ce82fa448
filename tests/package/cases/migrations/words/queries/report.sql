SELECT count(*) FROM bridge;
