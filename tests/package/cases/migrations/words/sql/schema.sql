CREATE TABLE bridge (id int);
