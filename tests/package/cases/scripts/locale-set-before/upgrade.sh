#!/bin/sh
export LC_ALL=C.UTF-8
df -k /srv | grep Available
free | awk '/^Mem/ {print $7}'
