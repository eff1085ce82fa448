#!/bin/bash
HOSTS=(a.vendor.example "b.vendor.example")
HOSTS+=(c.vendor.example)
for h in "${HOSTS[@]}"; do
  sftp in@$h
done
scp x "${HOSTS[1]}:/in"
