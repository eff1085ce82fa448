New-Service -Name LedgerSvc -BinaryPathName '"C:\Ledger\ledger.exe" --service' -DisplayName 'Ledger' -StartupType Automatic -Credential $cred
sc.exe failure LedgerSvc reset= 86400 actions= restart/5000
Start-Service -Name LedgerSvc
