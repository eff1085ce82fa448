try {
    Invoke-Sqlcmd -ServerInstance sql01.ledger.example -Database Ledger -InputFile "$PSScriptRoot\010-tables.sql" -ErrorAction Stop
    Start-Service LedgerSvc
}
catch {
    Write-Error $_
    exit 1
}
