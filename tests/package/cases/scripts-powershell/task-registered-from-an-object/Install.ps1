$task = New-ScheduledTask -Action (New-ScheduledTaskAction -Execute 'C:\Ledger\mail.exe') -Trigger (New-ScheduledTaskTrigger -Daily -At '23:30') -Principal (New-ScheduledTaskPrincipal -UserId 'SYSTEM')
Register-ScheduledTask -TaskName 'LedgerMail' -InputObject $task
