@echo off
call :step sqlcmd -S sql01.ledger.example -b -i one.sql
msiexec /i ledger.msi /qn /norestart
call :check
net start LedgerSvc
goto :eof
:check
if errorlevel 1 (
  echo failed
  exit 1
)
exit /b 0
:step
%*
exit /b %errorlevel%
