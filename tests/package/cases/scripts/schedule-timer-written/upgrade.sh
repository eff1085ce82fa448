#!/bin/sh
cat <<'EOF' > /etc/systemd/system/app.timer
[Timer]
OnCalendar=*-*-* 03:30:00
EOF
systemctl enable --now app.timer
