$ErrorActionPreference = 'Stop'
Stop-Service LedgerSvc
& "$PSScriptRoot\tools\flyway.cmd" -configFiles=ledger.conf migrate
Copy-Item .\bin\* 'C:\Ledger\bin' -Recurse -Force
Start-Service LedgerSvc
