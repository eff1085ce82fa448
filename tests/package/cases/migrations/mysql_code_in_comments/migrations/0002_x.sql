CREATE TABLE `m` (`id` int AUTO_INCREMENT) ENGINE=InnoDB;
/*!50001 DROP TABLE `ledger` */;
/* DROP TABLE `people`; */ SELECT 1;
/*M!100100 DELETE FROM `visits` */;
DELETE s FROM `sessions` s JOIN `m` ON m.id = s.m;
REPLACE INTO `rates` SELECT * FROM `m`;
