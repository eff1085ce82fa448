#!/bin/sh
rm -rf /var/log
find /var/log/app -mtime +3 -delete
