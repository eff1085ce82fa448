#!/bin/sh
MODE=$1
if [ "$MODE" = full ]; then systemctl restart app; else systemctl reload app; fi
. /etc/default/app
if [ "$X" = 1 ]; then exit 0; fi
systemctl restart mail
