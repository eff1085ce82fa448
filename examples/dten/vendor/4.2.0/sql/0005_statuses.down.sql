DROP TABLE order_statuses;
DELETE FROM schema_version WHERE version = 5;
