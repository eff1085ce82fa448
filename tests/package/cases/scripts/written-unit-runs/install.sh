#!/bin/sh
cat <<EOF > /etc/systemd/system/agent.service
[Service]
ExecStart=/usr/bin/curl -fsS https://agent.vendor.example/poll
ExecStartPre=-/bin/rm -f /opt/agent/lock
EOF
