#!/bin/sh
pg_dump ledger -f /var/backups/a.sql || exit 1
pg_dump ledger -f /var/backups/b.sql
if [ $? -ne 0 ]; then exit 1; fi
if ! pg_dump ledger -f /var/backups/c.sql; then exit 1; fi
pg_dump ledger -f /var/backups/d.sql && echo saved
set -e
pg_dump ledger -f /var/backups/e.sql
./bin/migrate.sh up
systemctl start ledger
