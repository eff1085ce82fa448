$trigger = New-ScheduledTaskTrigger -Weekly -DaysOfWeek Monday, Thursday -At 2:30AM
$action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument '-NoProfile -File "C:\Program Files\Ledger\rotate.ps1"'
$principal = New-ScheduledTaskPrincipal -UserId 'NT AUTHORITY\SYSTEM' -LogonType ServiceAccount -RunLevel Highest
Register-ScheduledTask -TaskName 'Ledger rotation' -TaskPath '\Ledger\' -Trigger $trigger -Action $action -Principal $principal -Force
