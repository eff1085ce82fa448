#!/bin/bash
mkdir -p /opt/ledger/{spool,cache/{new,old}}
cp /etc/ledger/main.conf{,.before}
rm -f /opt/ledger/"{a,b}" /opt/ledger/\{c,d\}
find /opt/ledger/tmp -name core -exec ls {} \;
