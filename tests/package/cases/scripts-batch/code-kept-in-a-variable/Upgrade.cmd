@echo off
setlocal EnableDelayedExpansion
msiexec /i ledger.msi /qn /norestart
set RC=%ERRORLEVEL%
if %RC%==3010 set RESTART=1
if not %RC%==0 if not %RC%==3010 exit /b %RC%
for %%f in (one two) do (
  sqlcmd -S sql01.ledger.example -b -i %%f.sql
  if !errorlevel! neq 0 exit /b 1
)
if exist after.sql (
  sqlcmd -S sql01.ledger.example -b -i after.sql
)
if errorlevel 1 exit /b 1
if defined RESTART exit /b 3010
