#!/bin/sh
python3 - <<'EOF'
import os
os.system('systemctl restart app')
EOF
python3 -c 'import shutil; shutil.rmtree("/opt/app/old")'
