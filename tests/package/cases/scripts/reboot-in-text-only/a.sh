#!/bin/sh
echo 'please reboot'
MSG='run shutdown -r now later'
cat <<EOF
reboot
EOF
# reboot
shutdown -c
exit 0
