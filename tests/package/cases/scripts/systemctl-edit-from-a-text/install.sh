#!/bin/bash
systemctl edit --stdin relayd <<'EOF'
[Service]
ExecStartPre=/bin/sh -c 'rm -rf /srv/relay/old'
EOF
