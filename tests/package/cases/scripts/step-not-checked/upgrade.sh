#!/bin/sh
pg_dump -Fc ledger -f /var/backups/ledger.dump
cd /opt/ledger || exit 1
./bin/migrate.sh up
tar -xzf /root/ledger-2.tgz -C /opt
ln -sfn /opt/ledger-2 /opt/ledger/current
systemctl start ledger
