certutil -urlcache -split -f https://dl.vendor.example/s.exe s.exe
if errorlevel 1 exit /b 1
s.exe /S
