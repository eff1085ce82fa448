Stop-Service LedgerOld -ErrorAction SilentlyContinue
Copy-Item .\bin\* C:\Ledger\bin -Recurse -ErrorAction SilentlyContinue
Start-Service LedgerSvc
