#!/bin/sh
expect -c 'spawn systemctl restart relayd
expect eof'
tclsh <<'EOF'
exec systemctl restart relay-tcl
EOF
