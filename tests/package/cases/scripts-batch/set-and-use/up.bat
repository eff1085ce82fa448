@echo off
set "HOST=dl.vendor.example"
set PORT=8080
curl -o app.zip http://%HOST%:%PORT%/app.zip
