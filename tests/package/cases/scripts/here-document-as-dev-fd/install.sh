#!/bin/bash
bash /dev/fd/3 3<<'EOF'
systemctl restart relay-three
EOF
