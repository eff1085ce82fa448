#!/bin/sh
install --mode 644 --owner root app.conf /etc/app/app.conf
mkdir -m 0750 /var/lib/app
install -D -m644 unit /etc/systemd/system/app.service
