#!/bin/sh
systemctl restart a.service b
service c reload
invoke-rc.d d stop
/etc/init.d/e restart
supervisorctl restart f
systemctl enable --now g.timer
systemctl daemon-reload
systemctl status a
systemctl is-active a
nginx -s reload
