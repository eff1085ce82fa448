#!/bin/sh
if [ -n "$2" ]; then
  _dh_action=restart
else
  _dh_action=start
fi
deb-systemd-invoke $_dh_action 'x.service' >/dev/null || true
deb-systemd-helper was-enabled 'x.service'
