@echo off
msiexec /i app.msi /qn /norestart
sqlcmd -S db.vendor.example -Q "SELECT 1"
copy app.ini C:\App\
