set /p NAME=Your name: 
choice /c yn
pause
pause < nul
set /p V=<version.txt
