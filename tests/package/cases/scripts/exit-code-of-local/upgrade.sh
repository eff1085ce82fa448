#!/bin/bash
set -e
backup() {
  local out=$(pg_dump ledger -f /var/backups/ledger.sql)
  local rows=$(psql -At -c 'select count(*) from entry')
  if [ $? -ne 0 ]; then exit 1; fi
  local name=$(basename "$1")
  local later; later=$(pg_dump other -f /var/backups/other.sql)
}
backup x
