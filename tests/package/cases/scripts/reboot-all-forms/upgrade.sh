#!/bin/sh
case $1 in
 a) shutdown -r +1 ;;
 b) reboot ;;
 c) init 6 ;;
 d) systemctl reboot ;;
 e) /sbin/telinit 0 ;;
 f) sudo reboot -f ;;
 g) touch /var/run/reboot-required ;;
 h) needs-restarting -r ;;
 i) echo b > /proc/sysrq-trigger ;;
esac
