#!/usr/bin/env python3
import os
import subprocess
import sys

subprocess.run(["pg_dump", "-f", "/var/backups/ledger.sql", "ledger"], check=True)
if subprocess.call("alembic upgrade head", shell=True) != 0:
    sys.exit(1)
done = subprocess.run(["rsync", "-a", "app/", "/opt/ledger/"])
if done.returncode:
    sys.exit(done.returncode)
rc = os.system("tar -xzf ledger.tar.gz -C /opt/ledger")
assert rc == 0
subprocess.check_call(["dpkg", "-i", "ledger.deb"])
subprocess.run(["systemctl", "restart", "ledger"], check=True)
