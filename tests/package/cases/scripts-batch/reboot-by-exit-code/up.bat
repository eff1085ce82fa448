msiexec /i app.msi /qn /norestart
if %errorlevel% equ 3010 exit /b 3010
