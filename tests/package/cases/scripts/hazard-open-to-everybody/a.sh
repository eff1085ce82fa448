#!/bin/sh
chmod -R 777 /opt/app/spool
chmod 1777 /opt/app/tmp
chmod 755 /opt/app
chmod a+rx /opt/app/bin
chmod o+w /opt/app/in
mkdir -m 0777 /opt/app/drop
umask 0
