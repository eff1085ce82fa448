#!/bin/bash
LOCK=/run/lock/ledger-upgrade
exec 9> "$LOCK"
flock -n 9 || { echo "another upgrade is at work"; exit 1; }
pg_dump ledger > /var/backups/ledger.sql || exit 1
flock -u 9
