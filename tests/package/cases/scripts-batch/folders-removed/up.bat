@echo off
rmdir /s /q "%ProgramData%\Acme\cache"
mkdir "%ProgramData%\Acme\new"
find /c "x" C:\Acme\a.txt
