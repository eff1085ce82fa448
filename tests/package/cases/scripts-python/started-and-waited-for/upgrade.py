import shutil
import subprocess

installer = subprocess.Popen(["msiexec", "/i", "ledger.msi", "/qn", "/norestart"])
if installer.wait() not in (0, 3010):
    raise SystemExit("the installer failed")
shutil.copy("ledger.ini", "C:/Ledger/ledger.ini")
