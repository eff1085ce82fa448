#!/bin/sh
telinit u
shutdown -c
echo 'please reboot'
REBOOT=reboot
# reboot
reboot --help
grep -q reboot /x
