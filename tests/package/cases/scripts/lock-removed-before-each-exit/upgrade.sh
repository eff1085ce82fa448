#!/bin/sh
LOCKFILE=/run/ledger.lock
[ -f $LOCKFILE ] && exit 0
echo $$ > $LOCKFILE
/opt/ledger/bin/import || { rm -f $LOCKFILE; exit 1; }
rm -f $LOCKFILE
