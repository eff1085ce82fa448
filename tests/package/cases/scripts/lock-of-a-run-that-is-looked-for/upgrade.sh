#!/bin/bash
set -e
PIDFILE=/run/ledger-import.pid
if [ -f "$PIDFILE" ] && kill -0 "$(cat "$PIDFILE")" 2>/dev/null; then exit 0; fi
echo $$ > "$PIDFILE"
rsync -a feed.vendor.example::ledger /var/lib/ledger/in/
rm -f "$PIDFILE"
