#!/bin/sh
set -e
systemctl stop app
sleep 5
systemctl start app
