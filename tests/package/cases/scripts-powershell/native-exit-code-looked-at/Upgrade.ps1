$ErrorActionPreference = 'Stop'
function Invoke-Native([scriptblock] $Block) {
    & $Block
    if ($LASTEXITCODE -ne 0) { throw "exit code $LASTEXITCODE" }
}
Stop-Service LedgerSvc
& "$PSScriptRoot\tools\flyway.cmd" -configFiles=ledger.conf migrate
if ($LASTEXITCODE -ne 0) {
    throw 'the migration failed'
}
sqlcmd -S sql01.ledger.example -i after.sql
if (-not $?) { exit 1 }
Start-Service LedgerSvc
