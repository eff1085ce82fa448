@echo off
set "DBPASSWORD=hunter2secret"
app --bypass=yes
