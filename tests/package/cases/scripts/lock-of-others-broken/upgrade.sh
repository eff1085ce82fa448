#!/bin/bash
rm -f /var/lib/dpkg/lock-frontend /var/lib/apt/lists/lock
fuser -vk /var/cache/apt/archives/lock
sudo rm -f /var/lib/postgresql/15/main/postmaster.pid
rm -f /var/lib/ledger/ledger.lock
fuser -v /var/lib/dpkg/lock
