@echo off
setlocal
net stop LedgerSvc
if errorlevel 1 echo it did not run
sqlcmd -S sql01.ledger.example -E -b -i migrate.sql
if %ERRORLEVEL% neq 0 goto :failed
msiexec /i "%~dp0ledger.msi" /qn /norestart || goto :failed
net start LedgerSvc
exit /b 0
:failed
echo failed
exit /b 1
