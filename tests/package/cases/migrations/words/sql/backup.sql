CREATE TABLE bridge_copy AS SELECT * FROM bridge;
