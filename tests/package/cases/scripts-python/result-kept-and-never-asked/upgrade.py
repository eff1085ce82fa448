import subprocess

out = subprocess.run(["psql", "-f", "migrate.sql", "ledger"], capture_output=True, text=True)
print(out.stdout)
subprocess.run(["systemctl", "start", "ledger"], check=True)
