SET @text = (SELECT CONCAT('DROP TABLE ', table_name) FROM information_schema.tables LIMIT 1);
PREPARE gone FROM @text;
EXECUTE gone;
ALTER TABLE `people` ENGINE=InnoDB;
