#!/bin/sh
LC_ALL=C df -k /srv | grep Available
LANG=C
free | awk '/^Mem/ {print $7}'
