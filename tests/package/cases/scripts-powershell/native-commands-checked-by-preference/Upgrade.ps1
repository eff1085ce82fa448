#Requires -Version 7.4
$ErrorActionPreference = 'Stop'
$PSNativeCommandUseErrorActionPreference = $true
sqlcmd -S sql01.ledger.example -b -i migrate.sql
Start-Service LedgerSvc
