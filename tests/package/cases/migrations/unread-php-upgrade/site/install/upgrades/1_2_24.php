<?php function upgrade_to_1_2_24() { db_install_execute("ALTER TABLE host DROP COLUMN x"); }
