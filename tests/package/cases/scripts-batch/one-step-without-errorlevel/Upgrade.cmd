@echo off
sqlcmd -S sql01.ledger.example -E -b -i before.sql
if errorlevel 1 exit /b 1
sqlcmd -S sql01.ledger.example -E -b -i migrate.sql
xcopy /y /e bin C:\Ledger\bin
net start LedgerSvc
