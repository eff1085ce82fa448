#!/bin/sh
# upgrade of the ledger
unzip -o ledger.zip -d /opt/ledger
echo "done"
exit 0
