$ErrorActionPreference = 'SilentlyContinue'
$old = Get-ItemProperty 'HKLM:\SOFTWARE\Ledger' -Name Version
$ErrorActionPreference = 'Stop'
Stop-Service LedgerSvc
Copy-Item .\bin\* 'C:\Ledger\bin' -Recurse -Force
Start-Service LedgerSvc
