#!/bin/sh
(
  flock -w 60 200 || exit 1
  rsync -a /srv/in/ /var/lib/ledger/in/
) 200> /var/lock/ledger.lock
flock --exclusive /run/ledger/reload.lock systemctl reload ledger
