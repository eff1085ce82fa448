Invoke-Sqlcmd -ServerInstance sql01.ledger.example -Database Ledger -InputFile "$PSScriptRoot\010-tables.sql"
Invoke-Sqlcmd -ServerInstance sql01.ledger.example -Database Ledger -InputFile "$PSScriptRoot\020-data.sql"
Start-Service LedgerSvc
