#!/usr/bin/env python3
import os
import subprocess

subprocess.run(["pg_dump", "-f", "/var/backups/ledger.sql", "ledger"])
subprocess.call("alembic upgrade head", shell=True)
os.system("tar -xzf ledger.tar.gz -C /opt/ledger")
subprocess.run(["systemctl", "restart", "ledger"])
