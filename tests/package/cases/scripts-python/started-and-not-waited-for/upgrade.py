import shutil
import subprocess

subprocess.Popen(["msiexec", "/i", "ledger.msi", "/qn", "/norestart"])
shutil.copy("ledger.ini", "C:/Ledger/ledger.ini")
