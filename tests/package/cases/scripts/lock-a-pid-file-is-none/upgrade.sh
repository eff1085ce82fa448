#!/bin/sh
set -e
/opt/ledger/bin/ledgerd &
echo $! > /run/ledgerd.pid
cp /etc/ledger/a.conf /etc/ledger/b.conf
rm -f /run/other.pid
