#!/bin/sh
awk -v svc=ledger '
  # system("reboot") in a comment
  $2 ~ /system\("halt"\)/ { next }
  $3 == "stale" { system("systemctl restart " svc "@" $1) }
  END { print "system(\"poweroff\")" }
' /var/lib/ledger/nodes
