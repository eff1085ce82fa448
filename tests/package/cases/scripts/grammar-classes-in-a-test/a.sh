#!/bin/sh
if [ -f /etc/rc0.d/K[0-9][0-9]app ] \
 && [ -f /etc/rc6.d/K[0-9][0-9]app ]; then
  update-rc.d -f app remove
fi
