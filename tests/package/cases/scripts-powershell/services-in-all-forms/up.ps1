Get-Service -Name 'Broker' | Stop-Service -Force
foreach ($s in 'One', 'Two') { Restart-Service $s }
Set-Service -Name Indexer -StartupType Disabled
sc.exe delete OldSvc
New-Service -Name NewSvc -BinaryPathName 'C:\App\svc.exe'
Restart-WebAppPool -Name AppPool
iisreset /noforce
Get-Service Nothing
