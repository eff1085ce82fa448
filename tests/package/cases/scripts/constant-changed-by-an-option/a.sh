#!/bin/sh
DRY_RUN=no
[ "$1" = -n ] && DRY_RUN=yes
if [ "$DRY_RUN" = yes ]; then
  systemctl stop app
else
  systemctl restart app
fi
