#!/bin/bash
exec 3<<'EOF'
systemctl restart relay-three
EOF
bash <&3
