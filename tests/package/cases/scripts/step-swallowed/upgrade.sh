#!/bin/bash
set -e
tar -xzf ledger.tgz -C /opt || true
systemctl start ledger
cd /opt/ledger/cache || true
rm -rf *
cp -a /opt/ledger/data /backup/data || :
rm -rf /opt/ledger/data
