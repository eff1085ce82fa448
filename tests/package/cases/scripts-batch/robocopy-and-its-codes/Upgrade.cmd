@echo off
robocopy bin C:\Ledger\bin /mir /r:2 /w:5
if %errorlevel% geq 8 exit /b 8
robocopy conf C:\Ledger\conf /e
net start LedgerSvc
