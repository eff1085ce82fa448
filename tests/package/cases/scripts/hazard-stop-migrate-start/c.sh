#!/bin/sh
systemctl stop app
/opt/app/bin/upgrade-schema
systemctl start app
