#!/bin/sh
ssh -p 2222 deploy@node2.vendor.example 'systemctl restart app && rm -rf /opt/app/old'
ssh root@node3.vendor.example <<'EOF'
reboot
EOF
