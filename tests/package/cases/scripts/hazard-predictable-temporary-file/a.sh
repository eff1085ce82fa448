#!/bin/sh
echo 'systemctl restart app' > /tmp/app-step.sh
sh /tmp/app-step.sh
