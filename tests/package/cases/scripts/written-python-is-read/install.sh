#!/bin/sh
cat > /usr/local/bin/report <<'EOF'
#!/usr/bin/env python3
import subprocess
subprocess.run(['systemctl', 'restart', 'reporter'])
EOF
