#!/bin/sh
kill -HUP $(cat /run/haproxy.pid)
initctl restart app
launchctl kickstart -k system/com.vendor.app
kubectl -n prod rollout restart deployment/api
docker-compose -f prod.yml restart web
start-stop-daemon --stop --pidfile /run/old.pid
pg_ctlcluster 15 main restart
systemctl daemon-reexec
docker compose -p app up -d
