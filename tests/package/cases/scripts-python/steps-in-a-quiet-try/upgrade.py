import os
import subprocess

try:
    subprocess.check_call(["psql", "-f", "migrate.sql", "ledger"])
except Exception:
    print("never mind")
try:
    os.rename("/opt/ledger/a", "/opt/ledger/b")
except OSError:
    pass
try:
    version = subprocess.check_output(["psql", "-c", "select version()"])
except Exception:
    version = ""
subprocess.check_call(["systemctl", "restart", "ledger"])
