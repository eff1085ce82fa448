#Requires -RunAsAdministrator
$x = Read-Host 'Continue?'
$c = Get-Credential
Start-Process msiexec.exe -ArgumentList '/i app.msi' -Wait
