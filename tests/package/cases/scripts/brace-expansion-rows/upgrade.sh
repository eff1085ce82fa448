#!/bin/bash
for n in {08..10}; do systemctl restart "shard@$n"; done
rm /opt/ledger/part.{a..e..2}
touch /opt/ledger/slot.{3..1}
last=4
touch /opt/ledger/copy.{1..$last}
