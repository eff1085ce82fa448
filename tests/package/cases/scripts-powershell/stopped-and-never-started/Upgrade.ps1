Get-Service -Name 'LedgerSvc', 'LedgerMail' | Stop-Service -Force
Expand-Archive .\ledger.zip -DestinationPath 'C:\Ledger' -Force
Get-Service LedgerSvc | Start-Service
