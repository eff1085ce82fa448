#!/bin/sh
smbclient //files.vendor.example/drop -U 'svc%pw' -c 'put x'
wait-for-it.sh mq.vendor.example:5672 -t 30
