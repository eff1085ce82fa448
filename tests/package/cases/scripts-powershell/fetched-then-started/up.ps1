Invoke-WebRequest https://dl.vendor.example/setup.exe -OutFile $env:TEMP\setup.exe
Start-Process -FilePath $env:TEMP\setup.exe -ArgumentList '/S' -Wait
