#!/bin/sh
PGPASSWORD="$P" psql -h db.example -p 5433 -U app -c 'select 1'
mysql -hmy.example -u root x
redis-cli -h r.example ping
psql -c 'select 1'
pg_dump postgresql://app@pg.example/db
