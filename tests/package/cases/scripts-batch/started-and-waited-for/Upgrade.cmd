@echo off
start "installing" /wait msiexec /i ledger.msi /qn /norestart
if errorlevel 1 exit /b %errorlevel%
start notepad README.txt
