$ErrorActionPreference = 'SilentlyContinue'
Stop-Service LedgerSvc
Copy-Item .\bin\* 'C:\Ledger\bin' -Recurse -Force
Invoke-Sqlcmd -ServerInstance 'sql01.ledger.example' -Database Ledger -InputFile .\migrate.sql
Start-Service LedgerSvc
