# https://c.vendor.example
Invoke-WebRequest -Uri https://ps.vendor.example/x -OutFile x
Restart-Service -Name "Spooler"
Write-Host 'see https://w.vendor.example'
Restart-Computer -Force
