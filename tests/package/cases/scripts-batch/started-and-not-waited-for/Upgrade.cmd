@echo off
net stop LedgerSvc
start "" msiexec /i ledger.msi /qn /norestart
xcopy /y ledger.config C:\Ledger\
net start LedgerSvc
exit /b 0
