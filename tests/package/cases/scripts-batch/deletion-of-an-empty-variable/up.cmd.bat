rd /s /q "%APPDIR%\"
rd /s /q "%ProgramFiles%\App"
del /q "%~dp0tmp\*.log"
