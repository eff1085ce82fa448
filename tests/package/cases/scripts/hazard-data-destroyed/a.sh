#!/bin/sh
mysql -e 'DROP DATABASE shop'
mkfs.ext4 /dev/sdb1
wipefs -a /dev/sdc
wipefs /dev/sdc
dd if=/dev/zero of=/dev/sdd bs=1M
dd if=/dev/zero of=/dev/null
redis-cli FLUSHALL
docker compose down -v
docker compose down
dropdb -h db.vendor.example reports
git clean -fdx
