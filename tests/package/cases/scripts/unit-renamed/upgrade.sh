#!/bin/sh
mv /etc/systemd/system/old.service /etc/systemd/system/new.service
ln -s /dev/null /etc/systemd/system/gone.service
