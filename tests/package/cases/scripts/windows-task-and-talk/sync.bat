@echo off
rem shutdown /r is not used
ftp -s:commands.txt files.app.example
echo shutdown /r
