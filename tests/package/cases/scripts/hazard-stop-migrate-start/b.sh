#!/bin/sh
set -e
trap 'systemctl start app' EXIT
systemctl stop app
/opt/app/bin/upgrade-schema
systemctl start app
