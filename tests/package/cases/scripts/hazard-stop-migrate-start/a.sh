#!/bin/sh
set -e
systemctl stop app
/opt/app/bin/upgrade-schema
systemctl start app
