#!/bin/sh
DRY_RUN=no
if [ "$DRY_RUN" = yes ]; then
  systemctl stop app
else
  systemctl restart app
fi
