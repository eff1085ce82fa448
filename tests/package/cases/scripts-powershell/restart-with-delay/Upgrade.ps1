Restart-Computer -Wait -For PowerShell -Timeout 300 -Delay 2 -Force
