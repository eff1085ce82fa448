#!/bin/sh
for h in a.vendor.example b.vendor.example; do
  ping -c 1 "$h"
done
