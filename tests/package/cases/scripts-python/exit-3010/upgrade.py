import subprocess
import sys

code = subprocess.call(["msiexec", "/i", "ledger.msi", "/qn", "/norestart"])
if code in (1641, 3010):
    sys.exit(3010)
raise SystemExit(code)
