#!/bin/bash
mkdir /var/lib/ledger/.lock 2>/dev/null || exit 1
if ! curl -fsS https://feed.vendor.example/today.csv -o /var/lib/ledger/today.csv; then
  echo "no feed today" >&2
  exit 2
fi
rmdir /var/lib/ledger/.lock
