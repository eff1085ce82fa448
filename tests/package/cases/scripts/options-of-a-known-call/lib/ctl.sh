#!/bin/sh
if [ "$1" = start ]; then
  systemctl start app
elif [ "$1" = stop ]; then
  systemctl stop app
else
  reboot
fi
