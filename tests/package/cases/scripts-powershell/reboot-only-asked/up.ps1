$k = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager'
Get-ItemProperty $k -Name PendingFileRenameOperations -ErrorAction SilentlyContinue
Write-Host 'Restart-Computer is up to you'
