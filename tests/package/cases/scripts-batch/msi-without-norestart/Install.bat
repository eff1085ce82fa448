msiexec /i ledger.msi /qn /l*v install.log
msiexec /i tools.msi /qb!
if %errorlevel%==3010 exit /b 3010
wusa.exe "%~dp0kb5030001.msu" /quiet
exit /b %errorlevel%
