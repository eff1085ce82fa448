#!/bin/bash
old=$(ps -ef | grep ledger | awk '{print $2}')
df -P /opt | tail -1 | awk '{print $4}'   # free blocks
systemctl stop ledger
rm -rf "/opt/ledger/lib"
echo "copying" \
     "files"
if [ -d /opt/ledger ]; then
  ls /opt/ledger | sort | uniq
  systemctl start "ledger"
  date >> /var/log/ledger/upgrade.log
fi
echo done > /opt/ledger/state
