$t = New-ScheduledTaskTrigger -Daily -DaysInterval 3 -At '21:45'
Register-ScheduledTask -TaskName LedgerVacuum -Trigger $t -Action (New-ScheduledTaskAction -Execute 'C:\Ledger\vacuum.cmd') | Out-Null
