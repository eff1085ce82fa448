net use Z: \\files.ledger.example\drop /user:LEDGER\svc Cl0sed-door
robocopy Z:\4.2 C:\Ledger /e /xo
if errorlevel 8 exit /b 1
net use Z: /delete
del /q /s C:\Ledger\tmp\*.*
rd /s /q "%LEDGER_CACHE%\old"
