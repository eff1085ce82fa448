#!/bin/sh
df --output=avail /srv | grep -v Avail
git status --porcelain | grep -v Untracked
stat -c 'Size %s' /srv/x | grep Size
df -k /srv | awk 'NR == 2 {print $4}'
df -k | grep /srv
