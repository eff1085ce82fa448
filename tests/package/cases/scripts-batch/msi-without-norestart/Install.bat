msiexec /i ledger.msi /qb! /l*v install.log
if %errorlevel%==3010 exit /b 3010
wusa.exe "%~dp0kb5030001.msu" /quiet
exit /b %errorlevel%
