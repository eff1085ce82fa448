Stop-Service LedgerSvc
Start-Process -FilePath msiexec.exe -ArgumentList "/i `"$PSScriptRoot\ledger.msi`" /qn /norestart"
Copy-Item .\ledger.config 'C:\Ledger\ledger.config' -Force
Start-Service LedgerSvc
