call :halt "Mail Server"
goto :eof
:halt
net stop "%~1"
exit /b
