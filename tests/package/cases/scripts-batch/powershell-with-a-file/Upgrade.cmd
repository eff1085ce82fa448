@echo off
powershell -NoProfile -ExecutionPolicy Bypass -File "%~dp0stop.ps1" -Service LedgerSvc
if errorlevel 1 exit /b 1
powershell -Command "& { Start-Service LedgerSvc; Get-Service LedgerSvc | Where-Object Status -eq 'Running' }"
