#!/bin/sh
set -e
lock=/var/run/ledger-import.lock
if [ -e "$lock" ]; then
  logger "still at work"
  exit 0
fi
touch "$lock"
rsync -a feed.vendor.example::ledger /var/lib/ledger/in/
/opt/ledger/bin/import /var/lib/ledger/in
rm -f "$lock"
