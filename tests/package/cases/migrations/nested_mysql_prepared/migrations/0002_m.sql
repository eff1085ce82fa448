SET @old = 'payments_2019';
SET @text = CONCAT('DROP TABLE `', @old, '`');
PREPARE gone FROM @text;
EXECUTE gone;
DEALLOCATE PREPARE gone;
ALTER TABLE `people` ENGINE=InnoDB;
