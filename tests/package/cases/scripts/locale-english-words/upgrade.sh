#!/bin/sh
set -e
free_kb=$(df -k /srv | grep Available | cut -d' ' -f4)
if free | awk '/^Mem/ {print $7}' | grep -q '^0$'; then exit 1; fi
if git status | grep -q "nothing to commit"; then echo clean; fi
