import os, subprocess, win32serviceutil
os.system("net stop AppSvc")
subprocess.run(["powershell", "-Command", "Restart-Service Web"])
win32serviceutil.RestartService("Spooler")
