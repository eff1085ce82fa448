#!/bin/sh
awk -F: '$3 > 1000 { print $1 > "/etc/ledger/users" }
         { printf("%s\n", ($2 > 3) ? "a" : "b") >> dir "/log" }
         { print | "sort -u > /var/lib/ledger/sorted" }' dir=/var/log/ledger /etc/passwd
